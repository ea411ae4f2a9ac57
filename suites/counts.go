package suites

import (
	"fmt"

	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// Count is how many of some specs apply at a hub.
type Count struct{ Apply, Of int }

func (c Count) String() string { return fmt.Sprintf("%d of %d", c.Apply, c.Of) }

func (c *Count) add(applies bool) {
	c.Of++
	if applies {
		c.Apply++
	}
}

// Counts are how many specs apply at a hub: all, the core ones, and those that
// run by default.
type Counts struct{ All, Core, Default Count }

// CountAt counts the specs that apply at a hub which shows and can do this
// much. Power and what a type declares are not the hub's: they are taken for
// given.
func CountAt(specs []fixtures.Spec, has hub.Letters) (n Counts) {
	for _, s := range specs {
		applies := s.WhyNotAt(has) == ""
		n.All.add(applies)
		if s.Has("core") {
			n.Core.add(applies)
		}
		if !s.Has("soak") {
			n.Default.add(applies)
		}
	}
	return n
}

package compare

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"

	"hilrig/record/wording"
)

// Group is a kind of change with all that changed so.
type Group struct {
	Title   string
	Changes []Change
}

// Groups are the changes in the order in which a person wants them.
func (c *Comparison) Groups() []Group {
	return []Group{{"newly red", c.NewlyRed}, {"newly not run", c.NewlyNotRun}, {"newly green", c.NewlyGreen}, {"still red", c.StillRed}}
}

// Sentence is the comparison in one sentence.
func (c *Comparison) Sentence() string {
	var parts []string
	for _, g := range c.Groups() {
		if n := len(g.Changes); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, g.Title))
		}
	}
	if n := len(c.Moved); n > 0 {
		parts = append(parts, wording.Plural(n, "measurement")+" moved")
	}
	if c.New > 0 {
		parts = append(parts, fmt.Sprintf("%d not asked before", c.New))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("Nothing changed: %s as before.", wording.Plural(c.Same, "result"))
	}
	return fmt.Sprintf("%s; %s as before.", strings.Join(parts, ", "), wording.Plural(c.Same, "result"))
}

// Text is a measurement that moved, for people.
func (m Moved) Text() string {
	return fmt.Sprintf("%s: %s %s before, %s now (spread %s)", m.Name, number(m.Before), m.Unit, number(m.After), number(m.Spread))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

// notAsked is in place of a verdict where a run did not ask a spec.
const notAsked = "not asked"

// Markdown writes the comparison for a pull request or a wiki.
func (c *Comparison) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s → %s\n\n%s\n", wording.Cell(c.Before.ID), wording.Cell(c.After.ID), c.Sentence())
	if len(c.Differs) > 0 {
		b.WriteString("\n**Not the same:**\n\n")
		for _, d := range c.Differs {
			fmt.Fprintf(&b, "- %s\n", wording.Cell(d))
		}
	}
	for _, g := range c.Groups() {
		if len(g.Changes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s (%d)\n\n| spec | device | before | now | |\n|---|---|---|---|---|\n", strings.ToUpper(g.Title[:1])+g.Title[1:], len(g.Changes))
		for _, ch := range g.Changes {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", wording.Cell(ch.Spec), wording.Cell(ch.Device), cmp.Or(string(ch.Before), notAsked), cmp.Or(string(ch.After), notAsked), wording.Cell(wording.Clip(ch.Message, 300)))
		}
	}
	if len(c.Moved) > 0 {
		fmt.Fprintf(&b, "\n## Measurements beyond their spread (%d)\n\n| spec | device | measured |\n|---|---|---|\n", len(c.Moved))
		for _, m := range c.Moved {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", wording.Cell(m.Spec), wording.Cell(m.Device), wording.Cell(m.Text()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

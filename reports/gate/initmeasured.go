package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// seen is what a run measured under one name.
type seen struct {
	Measured

	entries     int // devices that have it
	n           int
	least, most float64
}

// measurements offers bounds of what every device was measured for: those of the
// spec, else the most that was seen.
func (d *drafting) measurements() {
	all := slices.DeleteFunc(d.measured(), func(s *seen) bool { return s.entries < len(d.devices) })
	if len(all) == 0 {
		return
	}
	d.line("# Bounds of what is measured, as the specs have them, else the most of this run:")
	d.line(offered + "measurements:")
	for _, s := range all {
		bounds, saw := "", fmt.Sprintf("%s to %s", exact(s.least), exact(s.most))
		if s.Min == nil && s.Max == nil {
			s.Max, saw = &s.most, "the least "+exact(s.least)
		}
		if s.Min != nil {
			bounds += ", min: " + exact(*s.Min)
		}
		if s.Max != nil {
			bounds += ", max: " + exact(*s.Max)
		}
		d.line(offered+"  - {spec: %q, name: %q, unit: %q%s} # %d values, %s", s.Spec, s.Name, s.Unit, bounds, s.n, saw)
	}
}

// measured gathers what was measured, spec by spec of the catalogue.
func (d *drafting) measured() (all []*seen) {
	for _, spec := range d.catalogue {
		first := len(all)
		for _, dev := range d.devices {
			var here []*seen
			for _, r := range dev.Specs {
				if r.ID != spec.ID {
					continue
				}
				for _, m := range r.Measurements {
					i := slices.IndexFunc(all[first:], func(s *seen) bool { return s.Name == m.Name && s.Unit == m.Unit })
					if i < 0 {
						i, all = len(all)-first, append(all, &seen{Measured: Measured{Spec: spec.ID, Name: m.Name, Unit: m.Unit}, least: m.Value, most: m.Value})
					}
					s := all[first+i]
					s.n, s.least, s.most = s.n+1, min(s.least, m.Value), max(s.most, m.Value)
					s.Min, s.Max = looser(s.Min, m.Low, -1), looser(s.Max, m.High, 1)
					if !slices.Contains(here, s) {
						here = append(here, s)
					}
				}
			}
			for _, s := range here {
				s.entries++
			}
		}
	}
	return slices.DeleteFunc(all, func(s *seen) bool { return s.Name == "" })
}

// looser is the bound that lets more through, up or down.
func looser(a, b *float64, sign float64) *float64 {
	if a == nil || b != nil && sign**b > sign**a {
		return b
	}
	return a
}

// exact is a number as YAML's reader takes it for one, with all its digits: it
// takes great integers, and powers without a point, for words.
func exact(v float64) string {
	digits, power, ok := strings.Cut(strconv.FormatFloat(v, 'g', -1, 64), "e")
	if ok {
		power = "e" + power
	}
	if !strings.Contains(digits, ".") && (ok || len(digits) > 15) {
		digits += ".0"
	}
	return digits + power
}

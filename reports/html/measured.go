package html

import (
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
)

// measured is a measurement of all devices, drawn on one axis.
type measured struct {
	Spec, Name, Unit string
	Low, High        *float64
	Points           []point
	Min, Max         float64
	LowX, HighX      float64
}

type point struct {
	Device string
	Value  float64
	X      float64 // share of the axis in percent
	Bad    bool
}

// Limited says that there is a limit to hold it against.
func (g measured) Limited() bool { return g.Low != nil || g.High != nil }

// Values is the value, or of several devices the smallest and the largest.
func (g measured) Values() string {
	i, j := g.ends()
	low, high := g.Points[i].Value, g.Points[j].Value
	if number(low) == number(high) {
		return number(low)
	}
	return number(low) + " … " + number(high)
}

// Outside are the points beyond a limit.
func (g measured) Outside() (bad []point) {
	for _, p := range g.Points {
		if p.Bad {
			bad = append(bad, p)
		}
	}
	return bad
}

// Told are the points that have a name: all, or of more boards than have room
// the two ends and those beyond a limit.
func (g measured) Told() (told []point) {
	if len(g.Points) <= beside {
		return g.Points
	}
	low, high := g.ends()
	for i, p := range g.Points {
		if p.Bad || i == low || i == high {
			told = append(told, p)
		}
	}
	return told
}

// Dots are the points without a name, as one path.
func (g measured) Dots() string {
	if len(g.Points) <= beside {
		return ""
	}
	var path strings.Builder
	low, high := g.ends()
	for i, p := range g.Points {
		if !p.Bad && i != low && i != high {
			fmt.Fprintf(&path, "M%.1f 9h0", p.X)
		}
	}
	return path.String()
}

// Ends names the boards of the smallest and of the largest value.
func (g measured) Ends() string {
	low, high := g.ends()
	if number(g.Points[low].Value) == number(g.Points[high].Value) {
		return ""
	}
	return g.Points[low].Device + " … " + g.Points[high].Device
}

func (g measured) ends() (low, high int) {
	for i, p := range g.Points {
		if p.Value < g.Points[low].Value {
			low = i
		}
		if p.Value > g.Points[high].Value {
			high = i
		}
	}
	return low, high
}

// Says is the plot in words, for those who do not see it.
func (g measured) Says() string {
	text := fmt.Sprintf("%s: %s %s", g.Name, g.Values(), g.Unit)
	if n := len(g.Outside()); n > 0 {
		text += fmt.Sprintf(", %d outside the limits", n)
	}
	return text
}

// measurements gathers every measurement by spec and name; those with limits
// come first.
func measurements(r *record.Record) (limited, others []measured) {
	var all []*measured
	index := map[string]*measured{}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			for _, m := range s.Measurements {
				key := s.ID + "\x00" + m.Name
				g := index[key]
				if g == nil {
					g = &measured{Spec: s.ID, Name: m.Name, Unit: m.Unit, Low: m.Low, High: m.High}
					index[key] = g
					all = append(all, g)
				}
				g.Points = append(g.Points, point{Device: d.Name, Value: m.Value, Bad: m.Verdict == record.Fail})
			}
		}
	}
	for _, g := range all {
		g.scale()
		if g.Limited() {
			limited = append(limited, *g)
		} else {
			others = append(others, *g)
		}
	}
	return limited, others
}

// scale places points and limits on an axis from zero to a little beyond the
// largest.
func (g *measured) scale() {
	for _, p := range g.Points {
		g.Min, g.Max = min(g.Min, p.Value), max(g.Max, p.Value)
	}
	for _, l := range []*float64{g.Low, g.High} {
		if l != nil {
			g.Min, g.Max = min(g.Min, *l), max(g.Max, *l)
		}
	}
	span := (g.Max - g.Min) * 1.05
	if span == 0 {
		span = 1
	}
	x := func(v float64) float64 { return 100 * (v - g.Min) / span }
	for i := range g.Points {
		g.Points[i].X = x(g.Points[i].Value)
	}
	if g.Low != nil {
		g.LowX = x(*g.Low)
	}
	if g.High != nil {
		g.HighX = x(*g.High)
	}
}

// Times are what a line that provisions devices waits for.
var times = []struct {
	title, name string
	specs       []string
	fold        func(a, b float64) float64 // of several specs
}{
	{"three files sent", "transfer", []string{"provisioning/root", "provisioning/certificate", "provisioning/key"}, func(a, b float64) float64 { return a + b }},
	{"longest wait for an OK", "time to OK", []string{"provisioning/root", "provisioning/certificate", "provisioning/key"}, func(a, b float64) float64 { return max(a, b) }},
	{"TLS handshake", "handshake", []string{"provisioning/presented"}, nil},
	{"provisioned to first message", "provisioned to first message", []string{"delivery/first-message"}, nil},
	{"power-on to first message", "power-on to first message", []string{"recovery/power-cycle"}, nil},
	{"dropped to next connection", "gap after drop", []string{"recovery/server-disconnect"}, nil},
	{"way back after a hub restart", "way back", []string{"recovery/hub-restart"}, nil},
}

// duration is one of the times on each device that has it.
type duration struct {
	Title string
	Bars  []bar
}

type bar struct {
	Device string
	Value  float64 // seconds
	Width  float64 // share of the longest in percent
}

// durations gathers the times across devices. A device without all the specs
// of a time has none.
func durations(r *record.Record) (all []duration) {
	for _, t := range times {
		d := duration{Title: t.title}
		longest := 0.0
		for _, dev := range r.Devices {
			value, n := 0.0, 0
			for _, s := range dev.Specs {
				if !slices.Contains(t.specs, s.ID) {
					continue
				}
				for _, m := range s.Measurements {
					switch {
					case m.Name != t.name:
						continue
					case n == 0:
						value = m.Value
					default:
						value = t.fold(value, m.Value)
					}
					n++
				}
			}
			if n == len(t.specs) {
				d.Bars = append(d.Bars, bar{Device: dev.Name, Value: value})
				longest = max(longest, value)
			}
		}
		for i := range d.Bars {
			if longest > 0 {
				d.Bars[i].Width = 100 * d.Bars[i].Value / longest
			}
		}
		if len(d.Bars) > 0 {
			all = append(all, d)
		}
	}
	return all
}

package html

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sort"

	"hilrig/record"
)

// moment is a line of the two-sided timeline: the device's console on one
// side, the hub on the other, one clock between them.
type moment struct {
	At     float64
	Left   bool // console, power
	Source record.Source
	Text   string
}

// around is how many lines of a spec's timeline the page shows.
const around = 120

// timeline reads what happened while a spec ran. cut is how many lines before
// the shown ones were left out.
func timeline(runDir, device string, s record.SpecResult) (shown []moment, cut int) {
	if runDir == "" || s.Evidence.TimelineTo <= s.Evidence.TimelineFrom {
		return nil, 0
	}
	f, err := os.Open(filepath.Join(runDir, "devices", device, "timeline.jsonl"))
	if err != nil {
		return nil, 0 // the report stands without it; the record has the verdict
	}
	defer f.Close()
	part := io.NewSectionReader(f, s.Evidence.TimelineFrom, s.Evidence.TimelineTo-s.Evidence.TimelineFrom)
	lines := bufio.NewScanner(part)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e record.Event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Text == "" {
			continue
		}
		shown = append(shown, moment{At: e.At, Left: e.Source == record.SourceSerial || e.Source == record.SourcePower, Source: e.Source, Text: text(e)})
	}
	sort.SliceStable(shown, func(i, j int) bool { return shown[i].At < shown[j].At }) // a console line is written when it ends
	if len(shown) > around {
		cut = len(shown) - around
		shown = shown[cut:]
	}
	return shown, cut
}

func text(e record.Event) string {
	t := e.Text
	if len(t) > 300 {
		t = t[:300] + "…"
	}
	switch e.Kind {
	case "sent":
		return "→ " + t
	case "received":
		return "← " + t
	case record.KindSpecStep:
		return "step: " + t
	}
	return t
}

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
	X      float64 // share of the axis, 0…100
	Bad    bool
}

// measurements gathers what has a limit, or more than one device.
func measurements(r *record.Record) []measured {
	var all []*measured
	index := map[string]*measured{}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			for _, m := range s.Measurements {
				if m.Low == nil && m.High == nil && len(r.Devices) < 2 && m.Unit != "s" {
					continue
				}
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
	out := make([]measured, 0, len(all))
	for _, g := range all {
		g.scale()
		out = append(out, *g)
	}
	return out
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

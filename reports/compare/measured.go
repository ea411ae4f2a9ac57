package compare

import (
	"math"

	"hilrig/record"
)

// Moved is a measurement that is further from what it was than its spread.
type Moved struct {
	Device string         `json:"device"`
	Spec   string         `json:"spec"`
	Name   string         `json:"name"`
	Unit   string         `json:"unit"`
	Before float64        `json:"before"`
	After  float64        `json:"after"`
	Spread float64        `json:"spread"`  // how far apart two sound runs may be
	Limits record.Verdict `json:"verdict"` // of the later one, by its limits
}

// What two runs of one firmware on one board may differ by, at the least: a
// fifth of the value, and a tenth of a second, which a busy host costs.
const (
	leastShare   = 0.2
	leastSeconds = 0.1
)

type measuredKey struct{ spec, name string }

// spreads are how far the boards of a run are apart in each measurement.
func spreads(r *record.Record) map[measuredKey]float64 {
	type ends struct{ low, high float64 }
	seen := map[measuredKey]ends{}
	for i := range r.Devices {
		for j := range r.Devices[i].Specs {
			s := &r.Devices[i].Specs[j]
			for _, m := range s.Measurements {
				key := measuredKey{s.ID, m.Name}
				e, known := seen[key]
				if !known {
					e = ends{m.Value, m.Value}
				}
				seen[key] = ends{math.Min(e.low, m.Value), math.Max(e.high, m.Value)}
			}
		}
	}
	all := make(map[measuredKey]float64, len(seen))
	for key, e := range seen {
		all[key] = e.high - e.low
	}
	return all
}

// moved are the measurements of both runs that moved beyond their spread, or
// out of their limits or back. Was holds the results of the earlier run, by
// device and spec.
func moved(was map[string]map[string]*record.SpecResult, after *record.Record, spread map[measuredKey]float64) (all []Moved) {
	for i := range after.Devices {
		d := &after.Devices[i]
		for j := range d.Specs {
			s := &d.Specs[j]
			if old := was[d.Name][s.ID]; old != nil {
				all = append(all, movedIn(d.Name, s, old.Measurements, spread)...)
			}
		}
	}
	return all
}

func movedIn(device string, s *record.SpecResult, was []record.Measurement, spread map[measuredKey]float64) (all []Moved) {
	for _, now := range s.Measurements {
		for _, old := range was {
			if old.Name != now.Name || old.Unit != now.Unit {
				continue
			}
			may := max(spread[measuredKey{s.ID, now.Name}], leastShare*math.Abs(old.Value))
			if now.Unit == "s" {
				may = max(may, leastSeconds)
			}
			if math.Abs(now.Value-old.Value) > may || now.Verdict != old.Verdict {
				all = append(all, Moved{Device: device, Spec: s.ID, Name: now.Name, Unit: now.Unit,
					Before: old.Value, After: now.Value, Spread: may, Limits: now.Verdict})
			}
			break
		}
	}
	return all
}

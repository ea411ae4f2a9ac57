package gate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"hilrig/record/wording"
)

// Measured bounds a measurement of a spec, on every board that counts.
type Measured struct {
	Spec   string   `yaml:"spec"`
	Name   string   `yaml:"name"`
	Unit   string   `yaml:"unit"`
	Min    *float64 `yaml:"min"`     // of each value
	Max    *float64 `yaml:"max"`     // of each value
	P95Max *float64 `yaml:"p95_max"` // of that value below which 95 of 100 are
}

func (m Measured) check(catalogue []Spec) error {
	switch {
	case !slices.ContainsFunc(catalogue, func(s Spec) bool { return s.ID == m.Spec }):
		return fmt.Errorf("measurements: no spec of the catalogue is %s (hilrig list shows them)", m.Spec)
	case m.Min == nil && m.Max == nil && m.P95Max == nil:
		return fmt.Errorf("measurements: %s of %s needs min, max or p95_max", m.Name, m.Spec)
	case m.Min != nil && (m.Max != nil && *m.Min > *m.Max || m.P95Max != nil && *m.Min > *m.P95Max):
		return fmt.Errorf("measurements: min of %s of %s is more than its max", m.Name, m.Spec)
	}
	return nil
}

// bounds are the bounds in words.
func (m Measured) bounds() string {
	text := ""
	for _, b := range []struct {
		word  string
		value *float64
	}{{"at least ", m.Min}, {"at most ", m.Max}, {"95 of 100 at most ", m.P95Max}} {
		if b.value != nil {
			text += ", " + b.word + number(*b.value) + " " + m.Unit
		}
	}
	return text[2:]
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// value is one that was measured, and where.
type value struct {
	of      float64
	where   string
	at      spot
	settled bool // its spec has a verdict: somebody may answer for it
}

// measured demands that each value keeps its bounds, and that there is one of
// every board at each hub that is asked for.
func (j *judging) measured(m Measured) {
	var values []value
	var failures, lacks []string
	hubs := j.Policy.Hubs
	if len(hubs) == 0 {
		hubs = []string{""} // any
	}
	for _, b := range j.counted {
		for _, hub := range hubs {
			found, strange := j.values(m, b, hub)
			lacks = append(lacks, strange...)
			if len(found)+len(strange) == 0 {
				text := fmt.Sprintf("%s has no %s of %s", b.name(), m.Name, m.Spec)
				if hub != "" {
					text += " at " + hub
				}
				lacks = append(lacks, text)
			}
			values = append(values, found...)
		}
	}
	if len(j.counted) == 0 {
		lacks = append(lacks, "no board has a result that counts")
	}
	waived := map[value]bool{}
	answered := func(v value) bool {
		if !v.settled || !j.waived(v.at) {
			return false
		}
		waived[v] = true
		return true
	}
	for _, v := range values {
		if why := m.breaks(v.of); why != "" && !answered(v) {
			failures = append(failures, fmt.Sprintf("%s %s %s, %s", v.where, number(v.of), m.Unit, why))
		}
	}
	if m.P95Max != nil {
		rest := values
		if exceeds(rest, *m.P95Max) { // by whatever is above, which somebody may answer for
			rest = slices.DeleteFunc(slices.Clone(values), func(v value) bool { return v.of > *m.P95Max && answered(v) })
		}
		if exceeds(rest, *m.P95Max) {
			p := percentile95(rest)
			failures = append(failures, fmt.Sprintf("95 of 100 values are up to %s %s, at most %s (%s; %s)", number(p.of), m.Unit, number(*m.P95Max), wording.Plural(len(rest), "value"), p.where))
		}
	}
	text := wording.Plural(len(values), "value") + ", " + m.bounds()
	if len(waived) > 0 {
		text += fmt.Sprintf("; of %d somebody answers for what it breaks", len(waived))
	}
	j.out.rule(fmt.Sprintf("measurement %s of %s", m.Name, m.Spec), text, failures, lacks)
}

// breaks is the bound that a value breaks, in words; empty: none.
func (m Measured) breaks(v float64) string {
	switch {
	case m.Min != nil && v < *m.Min:
		return "at least " + number(*m.Min)
	case m.Max != nil && v > *m.Max:
		return "at most " + number(*m.Max)
	}
	return ""
}

func exceeds(values []value, most float64) bool {
	return len(values) > 0 && percentile95(values).of > most
}

// values are those of a board at a hub; strange are those of another unit.
func (j *judging) values(m Measured, b *board, hub string) (found []value, strange []string) {
	for _, e := range j.entries {
		if e.why != "" || e.board != b || hub != "" && !isHub(hub, e.dev.Hub.Name, e.dev.Hub.Kind) {
			continue
		}
		for _, s := range e.dev.Specs {
			if s.ID != m.Spec {
				continue
			}
			for _, got := range s.Measurements {
				at := spot{b, e.dev.Hub.Name, m.Spec}
				where := fmt.Sprintf("%s of %s in run %s:", m.Name, at, e.run.ID)
				switch {
				case got.Name != m.Name:
				case got.Unit != m.Unit:
					strange = append(strange, fmt.Sprintf("%s it is in %s, the policy asks for %s", where, cmp.Or(got.Unit, "no unit"), cmp.Or(m.Unit, "none")))
				default:
					found = append(found, value{got.Value, where, at, settled(s.Verdict)})
				}
			}
		}
	}
	return found, strange
}

// percentile95 is the smallest value that at least 95 of 100 do not pass: of
// fewer than twenty the greatest.
func percentile95(values []value) value {
	sorted := slices.Clone(values)
	slices.SortStableFunc(sorted, func(a, b value) int { return cmp.Compare(a.of, b.of) })
	return sorted[max(1, int(math.Ceil(0.95*float64(len(sorted)))))-1]
}

// checkMeasured finds what no schema can see in bounds of measurements.
func (p *Policy) checkMeasured(catalogue []Spec) error {
	var errs []error
	for _, m := range p.Measured {
		errs = append(errs, m.check(catalogue))
	}
	return errors.Join(errs...)
}

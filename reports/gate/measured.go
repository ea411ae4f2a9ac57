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
	of    float64
	where string
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
	for _, v := range values {
		switch {
		case m.Min != nil && v.of < *m.Min:
			failures = append(failures, fmt.Sprintf("%s %s %s, at least %s", v.where, number(v.of), m.Unit, number(*m.Min)))
		case m.Max != nil && v.of > *m.Max:
			failures = append(failures, fmt.Sprintf("%s %s %s, at most %s", v.where, number(v.of), m.Unit, number(*m.Max)))
		}
	}
	if m.P95Max != nil && len(values) > 0 {
		if p := percentile95(values); p.of > *m.P95Max {
			failures = append(failures, fmt.Sprintf("95 of 100 values are up to %s %s, at most %s (%s; %s)", number(p.of), m.Unit, number(*m.P95Max), wording.Plural(len(values), "value"), p.where))
		}
	}
	j.out.rule(fmt.Sprintf("measurement %s of %s", m.Name, m.Spec), fmt.Sprintf("%s, %s", wording.Plural(len(values), "value"), m.bounds()), failures, lacks)
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
				where := fmt.Sprintf("%s of %s in run %s:", m.Name, spot{b, e.dev.Hub.Name, m.Spec}, e.run.ID)
				switch {
				case got.Name != m.Name:
				case got.Unit != m.Unit:
					strange = append(strange, fmt.Sprintf("%s it is in %s, the policy asks for %s", where, cmp.Or(got.Unit, "no unit"), cmp.Or(m.Unit, "none")))
				default:
					found = append(found, value{got.Value, where})
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

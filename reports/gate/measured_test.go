package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// measures gives every device of the first run a value of session/connect.
func measures(of func(device int) []record.Measurement) func(*testing.T, *Question) {
	return func(_ *testing.T, q *Question) {
		devices := q.Runs[0].Record.Devices
		for i := range devices {
			devices[i].Specs[2].Measurements = of(i)
		}
	}
}

func seconds(v float64) []record.Measurement {
	return []record.Measurement{{Name: "connect", Value: v, Unit: "s"}, {Name: "other", Value: 99, Unit: "s"}}
}

const slow = "waivers: [{spec: session/connect, board: A2, owner: kim, reason: old radio, issue: FW-13, expires: 2026-12-24}]"

// A waiver of a measurement is used, and told like one of a failure; one that
// covers values within their bounds is for nothing.
func TestAWaiverOfAMeasurementIsTold(t *testing.T) {
	for value, want := range map[float64]int{2.5: 1, 1: 0} {
		q := sound(t)
		q.Policy = policyOf(t, strictPolicy+"measurements: [{spec: session/connect, name: connect, unit: s, max: 2}]\n")
		both(measures(func(i int) []record.Measurement { return seconds([]float64{1, 1, 1, value}[i]) }), withWaivers(slow))(t, q)
		v := Judge(*q)
		if v.Verdict != Pass || len(v.Waived) != want || (want == 0) != strings.Contains(strings.Join(v.Warnings, "\n"), "no longer needed") {
			t.Errorf("%g s: %s, waived %v, warnings %q", value, v.Verdict, v.Waived, v.Warnings)
		}
	}
}

func TestMeasurementsAreBounded(t *testing.T) {
	const sample = "{spec: session/connect, name: connect, unit: s, "
	for _, c := range []struct {
		what   string
		bounds string
		change func(*testing.T, *Question)
		want   Word
		text   string
	}{
		{"all within", "max: 2, min: 0.1}", measures(func(int) []record.Measurement { return seconds(2) }), Pass, "4 values, at least 0.1 s, at most 2 s"},
		{"one above", "max: 2}", measures(func(i int) []record.Measurement { return seconds([]float64{1, 1, 1, 2.5}[i]) }), Fail, "connect of session/connect on ads300 A2 at lab in run 20261127T100000Z-0001: 2.5 s, at most 2"},
		{"one below", "min: 1}", measures(func(i int) []record.Measurement { return seconds([]float64{0.5, 1, 1, 1}[i]) }), Fail, "on ads300 A1 at local in run 20261127T100000Z-0001: 0.5 s, at least 1"},
		{"the greatest of few is their 95th of 100", "p95_max: 2}", measures(func(i int) []record.Measurement { return seconds([]float64{1, 1, 1, 2.5}[i]) }), Fail, "95 of 100 values are up to 2.5 s, at most 2 (4 values;"},
		{"one of a hundred is above, of which 95 of 100 are asked", "p95_max: 2}", func(t *testing.T, q *Question) {
			measures(func(int) []record.Measurement { return seconds(1) })(t, q)
			for n := range 24 {
				r := runOf(fmt.Sprintf("20261127T08%02d00Z-0000", n), now.Add(-time.Duration(240+n)*time.Minute))
				for i := range r.Record.Devices {
					r.Record.Devices[i].Specs[2].Measurements = seconds([]float64{1, 3}[min(1, max(0, n+i-25))])
				}
				q.Runs = append(q.Runs, r)
			}
		}, Pass, "100 values, 95 of 100 at most 2 s"},
		{"none on one board", "max: 2}", measures(func(i int) []record.Measurement {
			if i >= 2 {
				return nil
			}
			return seconds(1)
		}), Inconclusive, "ads300 A2 has no connect of session/connect at local (and 1 more)"},
		{"none at one hub", "max: 2}", measures(func(i int) []record.Measurement {
			if i%2 == 1 {
				return nil
			}
			return seconds(1)
		}), Inconclusive, "ads300 A1 has no connect of session/connect at lab"},
		{"in another unit", "max: 2}", measures(func(int) []record.Measurement { return []record.Measurement{{Name: "connect", Value: 1, Unit: "ms"}} }), Inconclusive, "it is in ms, the policy asks for s"},
		{"a name that nobody measures", "max: 2}", measures(func(int) []record.Measurement { return nil }), Inconclusive, "ads300 A1 has no connect of session/connect at local"},
		{"one above, for which somebody answers", "max: 2}", both(measures(func(i int) []record.Measurement { return seconds([]float64{1, 1, 1, 2.5}[i]) }), withWaivers(slow)), Pass, "4 values, at most 2 s; of 1 somebody answers for what it breaks"},
		{"one above on another board than the waiver's", "max: 2}", both(measures(func(i int) []record.Measurement { return seconds([]float64{2.5, 1, 1, 2.5}[i]) }), withWaivers(slow)), Fail, "on ads300 A1 at local in run 20261127T100000Z-0001: 2.5 s, at most 2"},
		{"the 95th of 100 is above for a board for which somebody answers", "p95_max: 2}", both(measures(func(i int) []record.Measurement { return seconds([]float64{1, 1, 1, 2.5}[i]) }), withWaivers(slow)), Pass, "4 values, 95 of 100 at most 2 s; of 1 somebody answers for what it breaks"},
		{"the 95th of 100 is above without that board too", "p95_max: 2}", both(measures(func(i int) []record.Measurement { return seconds([]float64{1, 3, 1, 2.5}[i]) }), withWaivers(slow)), Fail, "95 of 100 values are up to 3 s, at most 2 (3 values; connect of session/connect on ads300 A1 at lab"},
		{"none on a board for which somebody answers", "max: 2}", both(measures(func(i int) []record.Measurement {
			if i >= 2 {
				return nil
			}
			return seconds(1)
		}), withWaivers(slow)), Inconclusive, "ads300 A2 has no connect of session/connect at local (and 1 more)"},
		{"one above in what was not run, whatever somebody answers for", "max: 2}", both(measures(func(int) []record.Measurement { return seconds(2.5) }), withWaivers(strings.Replace(slow, "board: A2", "type: ads300", 1)), func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Devices[3].Specs[2].Verdict = record.NotRun
		}), Fail, "on ads300 A2 at lab in run 20261127T100000Z-0001: 2.5 s, at most 2"},
		{"in another unit, whatever somebody answers for", "max: 2}", both(measures(func(int) []record.Measurement { return []record.Measurement{{Name: "connect", Value: 1, Unit: "ms"}} }), withWaivers(slow)), Inconclusive, "it is in ms, the policy asks for s"},
		{"a run that does not count has them", "max: 2}", func(t *testing.T, q *Question) {
			measures(func(int) []record.Measurement { return seconds(1) })(t, q)
			each(func(d *record.DeviceRecord) { d.Emulated = true })(t, q)
		}, Inconclusive, "no board has a result that counts"},
	} {
		t.Run(c.what, func(t *testing.T) {
			q := sound(t)
			q.Policy = policyOf(t, strictPolicy+"measurements: ["+sample+c.bounds+"]\n")
			c.change(t, q)
			for _, r := range Judge(*q).Rules {
				if strings.HasPrefix(r.Name, "measurement ") {
					if r.Verdict != c.want || !strings.Contains(r.Text, c.text) {
						t.Errorf("%s %q, want %s %q", r.Verdict, r.Text, c.want, c.text)
					}
					return
				}
			}
			t.Error("no rule for it")
		})
	}
}

func TestBoundsThatNothingCanKeepAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{spec: session/connect, name: connect, unit: s}":                 "needs min, max or p95_max",
		"{spec: session/connect, name: connect, unit: s, min: 3, max: 2}": "min of connect of session/connect is more than its max",
		"{spec: session/conect, name: connect, unit: s, max: 2}":          "no spec of the catalogue is session/conect",
		"{spec: session/connect, name: connect, max: 2}":                  "lacks unit",
		"{spec: session/connect, name: connect, unit: s, max: fast}":      "measurements.0.max",
		"{spec: session/connect, name: connect, unit: s, max: .nan}":      "measurements",
		"{spec: session/connect, name: connect, unit: s, max: .inf}":      "measurements",
		"{spec: session/connect, name: connect, unit: s, min: -.inf}":     "measurements",
		"{spec: session/connect, name: connect, unit: s, max: 1.0e999}":   "measurements",
		"{spec: session/connect, name: connect, unit: s, p99_max: 1}":     "unknown key p99_max",
	} {
		_, err := ReadPolicy("gate.yaml", []byte(strictPolicy+"measurements: ["+text+"]\n"), catalogue)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

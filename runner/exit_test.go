package runner

import (
	"testing"
	"time"

	"hilrig/record"
)

// A run is worth what it proves; one in which nothing applied proves nothing.
func TestExitCode(t *testing.T) {
	const p, na = record.Pass, record.NotApplicable
	for _, c := range []struct {
		name    string
		devices [][]record.Verdict
		want    int
	}{
		{"all pass", [][]record.Verdict{{p, p}}, ExitPass},
		{"a warning", [][]record.Verdict{{p, record.Warn}}, ExitPass},
		{"one does not apply", [][]record.Verdict{{p, na}}, ExitPass},
		{"nothing applies", [][]record.Verdict{{na, na}, {na}}, ExitRig},
		{"nothing applies to one of two", [][]record.Verdict{{na}, {p}}, ExitPass},
		{"one did not run", [][]record.Verdict{{p, record.NotRun}}, ExitRig},
		{"one failed", [][]record.Verdict{{na, record.Fail, record.Error}}, ExitDevice},
	} {
		r := &record.Record{Run: record.Run{Started: time.Unix(1, 0), Ended: time.Unix(2, 0)}}
		for _, vs := range c.devices {
			d := record.DeviceRecord{}
			for _, v := range vs {
				d.Specs = append(d.Specs, record.SpecResult{Verdict: v})
			}
			r.Devices = append(r.Devices, d)
		}
		r.Conclude()
		if got := ExitCode(r); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}

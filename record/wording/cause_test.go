package wording

import (
	"strings"
	"testing"

	"hilrig/record"
)

// A cause that is told twice has other numbers the second time.
func TestCausesAreComparedWithoutTheirNumbers(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"the same", "no connection", "no connection", true},
		{"seconds", "no telemetry within 18s; saw 22 sessions", "no telemetry within 4.5s; saw 3 sessions", true},
		{"seconds in another unit", "CONNECT 430µs later, within 90s", "CONNECT 2ms later, within 1m30s", true},
		{"a port", "no connection at localhost:33907", "no connection at localhost:40001", true},
		{"a thumbprint", "saw E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3", "saw 0123456789ABCDEF0123456789ABCDEF01234567", true},
		{"line ends", "no telemetry\nin 3 s", "no telemetry in 4 s", true},
		{"another thing", "no telemetry in 3 s", "no session in 3 s", false},
		{"a number and none", "try 3 failed", "try failed", false},
		{"nothing", "", "no session", false},
	} {
		if got := SameCause(c.a, c.b); got != c.same {
			t.Errorf("%s: %q and %q: got %v, want %v", c.name, c.a, c.b, got, c.same)
		}
	}
}

// What did not run for one cause is told once, where it was told first.
func TestWhatDidNotRunIsGatheredByItsCause(t *testing.T) {
	of := func(id string, v record.Verdict, cause string) record.SpecResult {
		return record.SpecResult{ID: id, Verdict: v, Cause: cause}
	}
	d := record.DeviceRecord{Specs: []record.SpecResult{
		of("a", record.NotRun, "no session in 3 s"), of("b", record.NotRun, ""), of("c", record.NotApplicable, "no session in 3 s"),
		of("d", record.NotRun, "port held"), of("e", record.NotRun, "no session in 4 s"), of("f", record.Pass, ""),
	}}
	var got []string
	for _, specs := range byCause(d, record.NotRun) {
		for _, s := range specs {
			got = append(got, s.ID)
		}
		got = append(got, "|")
	}
	if s := strings.Join(got, ""); s != "ae|b|d|" {
		t.Errorf("gathered as %s", s)
	}
}

// A device's own cause is told where none of its specs tells it already.
func TestADeviceTellsTheCauseThatItsSpecsDoNot(t *testing.T) {
	of := func(name, cause string, specs ...string) record.DeviceRecord {
		d := record.DeviceRecord{Name: name, Cause: cause}
		for _, c := range specs {
			d.Specs = append(d.Specs, record.SpecResult{Verdict: record.NotRun, Cause: c})
		}
		return d
	}
	r := &record.Record{Devices: []record.DeviceRecord{
		of("sound", "", ""), of("told", "port held by 4711", "another", "port held by 4711"), of("told with other figures", "port held by 4711 for 3 s", "port held by 4711 for 9 s"),
		of("untold", "its child died", "not reached", ""), of("no specs", "its child died"),
	}}
	var names []string
	for _, d := range untold(r) {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, ", "); got != "untold, no specs" {
		t.Errorf("untold: %s", got)
	}
}

package past

import (
	"testing"
	"time"

	"hilrig/record"
	"hilrig/reports/history"
)

// A device that is faulty on purpose is none that the last run lacked: the
// history keeps nothing of it.
func TestADeviceWithAFaultIsNotMissing(t *testing.T) {
	device := func(name string, faults ...string) record.DeviceRecord {
		d := record.DeviceRecord{Name: name, Type: "ads300", Specs: []record.SpecResult{{ID: "tls/version", Verdict: record.Pass}}}
		d.Faults = faults
		return d
	}
	last := &record.Record{Run: record.Run{ID: "r0", Started: time.Unix(1, 0), Ended: time.Unix(2, 0)}, Devices: []record.DeviceRecord{device("a")}}
	for name, c := range map[string]struct {
		devices         []record.DeviceRecord
		missing, faulty int
	}{
		"the same":          {[]record.DeviceRecord{device("a")}, 0, 0},
		"a new one":         {[]record.DeviceRecord{device("a"), device("b")}, 1, 0},
		"a faulty one":      {[]record.DeviceRecord{device("a"), device("x", "no-sni")}, 0, 1},
		"a new, two faulty": {[]record.DeviceRecord{device("a"), device("b"), device("x", "no-sni"), device("y", "qos2")}, 1, 2},
	} {
		r := &record.Record{Run: record.Run{ID: "r1", Started: time.Unix(3, 0), Ended: time.Unix(4, 0)}, Devices: c.devices}
		got := earlierOf(&history.Before{Last: last}, t.TempDir(), r)
		if got.Since == nil || got.Since.Missing != c.missing || got.Since.Faulty != c.faulty {
			t.Errorf("%s: %+v", name, got.Since)
		}
	}
}

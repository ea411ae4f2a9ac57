package interchange_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hilrig/record"
)

var start = time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)

func spec(id string, v record.Verdict, c record.Class, message string) record.SpecResult {
	return record.SpecResult{
		ID: id, Text: "does what it should", Labels: []string{"core"}, Verdict: v, Class: c, Message: message, Started: start.Add(time.Second), Seconds: 1.25,
		Attempts: []record.Attempt{{Started: start.Add(time.Second), Seconds: 1.25, Verdict: v, Class: c, Message: message}},
	}
}

// hostile is text that somebody else has written.
const hostile = "\x1b[31m::error::x\r\n\x00\xff\u202e%0A | <script>\"\\ ü 🙂"

// example has a case of every kind.
func example() *record.Record {
	failed := spec("tls/expired", record.Fail, record.ClassDevice, "expected a refusal; saw "+hostile)
	failed.Expected, failed.Seen, failed.Look = "a refusal", "MQTT CONNECT", "the TLS configuration"
	failed.Output = []string{hostile}
	failed.Steps = []record.Step{{At: 1, Text: "connect"}, {At: 1.5, Text: "wait for the refusal"}}
	failed.Evidence = record.Evidence{TranscriptFrom: 3, TranscriptTo: 8}
	flaky := spec("tls/wrong-name", record.Pass, "", "")
	flaky.Flaky, flaky.Attempts = true, []record.Attempt{
		{Started: start.Add(time.Second), Seconds: 0.5, Verdict: record.Fail, Class: record.ClassDevice, Message: "the first time"}, {Started: start.Add(2 * time.Second), Seconds: 0.5, Verdict: record.Pass},
	}
	retried := spec("tls/self-signed", record.Fail, record.ClassDevice, "second try")
	retried.Attempts = append([]record.Attempt{{Verdict: record.Error, Class: record.RigHub, Message: "first try"}}, retried.Attempts...)
	warned := spec("tls/unknown-root", record.Warn, "", "")
	warned.Warnings = []string{"refuses without a TLS alert"}
	warned.Measurements = []record.Measurement{{Name: "connect", Value: 121, Unit: "s", Verdict: record.Fail}}
	skipped := spec("tls/server-name", record.NotApplicable, "", "")
	skipped.Cause = "the hub's host is an IP address"
	notRun := spec("delivery/topic", record.NotRun, record.RigPort, "")
	notRun.Cause = "port gone"
	r := &record.Record{
		Schema:   record.Schema,
		Run:      record.Run{ID: "20261122T231501Z-7f3a", Rig: `bench "1"\`, Host: "lab", Version: "v1.0.0", Started: start, Ended: start.Add(9 * time.Second), Hub: "local", Selection: record.Selection{Chosen: 9, Catalogue: 90}},
		Firmware: record.Firmware{Version: "2.4.1 ü", SHA256: "ab"},
		Devices: []record.DeviceRecord{
			{Name: "ads300-a", Type: "ads300", DeviceID: "NewDevice", DeviceFacts: record.DeviceFacts{Hub: record.Hub{Name: "local"}, Hardware: record.Hardware{Serial: "ADS-0042"}, Loads: 3},
				Specs: []record.SpecResult{
					spec("tls/version", record.Pass, "", ""), warned, failed, retried, flaky, skipped, notRun,
					spec("recovery/hub-restart", record.Error, record.RigHub, "hub port taken"), {ID: "delivery/qos", Verdict: "nonsense"},
				}},
			{Name: "ads300-b", Type: "ads300", Cause: "child was killed by signal 9", Class: record.Harness},
		},
	}
	r.Conclude()
	return r
}

// many is a run of n results, every tenth red.
func many(n int) *record.Record {
	r := example()
	r.Devices = r.Devices[:1]
	d := &r.Devices[0]
	for i := range n {
		s := d.Specs[0]
		if i%10 == 0 {
			s = d.Specs[2]
		}
		s.ID = fmt.Sprintf("tls/case-%d", i)
		d.Specs = append(d.Specs, s)
	}
	return r
}

// runFolder holds a transcript of ten bytes.
func runFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "devices", "ads300-a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "devices", "ads300-a", "transcript.log"), []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// of is a list with one requirement.
func of(spec string) []string {
	if spec == "tls/expired" {
		return []string{"SRS 104"}
	}
	return nil
}

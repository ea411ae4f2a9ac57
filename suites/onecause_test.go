package suites_test

import (
	"strings"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/suites"
)

// One cause is one red, or two where the spec that names it comes behind the
// one that misses the message; it is waited for once, and the specs behind say
// the same.
func TestOneCauseIsOneRed(t *testing.T) {
	if testing.Short() {
		t.Skip("short: whole runs")
	}
	for _, c := range []struct {
		fault string
		red   string // all that may be
		named string // what must be
		not   string // what must not have run
	}{
		{"wrong-topic", "delivery/topic", "delivery/topic", "delivery/first-message delivery/payload delivery/no-loss session/conformance delivery/interval recovery/connection-cut session/refused session/no-connack delivery/twin delivery/direct-method delivery/stored-message"},
		{"packet-id-zero", "delivery/first-message session/conformance", "session/conformance", "delivery/payload delivery/no-loss recovery/black-hole recovery/cut-in-handshake"},
		{"no-publish", "delivery/first-message", "delivery/first-message", "delivery/topic delivery/payload delivery/no-loss recovery/connection-cut"},
		{"wrong-client-id", "session/client-id", "session/client-id", "delivery/first-message recovery/server-disconnect"},
		{"clock-unset", "delivery/first-message", "delivery/first-message", "provisioning/presented recovery/server-disconnect"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			asked := append([]string{"provisioning/root", "provisioning/certificate", "provisioning/key", "provisioning/presented", "provisioning/no-key-on-console"},
				strings.Fields("session/client-id session/no-self-takeover session/pings session/subscribe session/no-suback session/refused session/no-connack delivery/first-message delivery/topic delivery/payload "+
					"delivery/interval delivery/twin delivery/direct-method delivery/stored-message delivery/no-loss recovery/server-disconnect recovery/connection-cut recovery/black-hole recovery/cut-in-handshake session/conformance")...)
			specs, err := suites.Select(suites.All(), "", asked)
			if err != nil {
				t.Fatal(err)
			}
			job := emulatedJob(t, specs)
			job.Device.Serial.Emulated.Faults = []string{c.fault}
			job.Device.Type.Timing.ConnectWithin = 5 * time.Second // waited for in vain
			job.Device.Type.Timing.PublishWithin = 5 * time.Second
			results := runChild(t, job)
			waits, causes := 0, map[string][]string{}
			for id, r := range results {
				if r.Verdict == record.Fail && !strings.Contains(c.red, id) || r.Verdict == record.Error {
					t.Errorf("%s: %s %s", id, r.Verdict, r.Message)
				}
				for _, s := range r.Steps {
					if strings.Contains(s.Text, "delivers nothing") {
						waits++
					}
				}
				if r.Verdict == record.NotRun {
					key := wording.CauseKey(r.Cause)
					causes[key] = append(causes[key], id)
				}
			}
			if v := results[c.named].Verdict; v != record.Fail {
				t.Errorf("%s: %s, want a failure", c.named, v)
			}
			for _, id := range strings.Fields(c.not) {
				if r := results[id]; r.Verdict != record.NotRun {
					t.Errorf("%s: %s %s, want not-run", id, r.Verdict, r.Message)
				}
			}
			if waits > 2 { // the second where a session began that stands
				t.Errorf("telemetry was waited for %d times in vain", waits)
			}
			if len(causes) > 2 {
				t.Errorf("%d causes for one: %v", len(causes), causes)
			}
		})
	}
}

// A type that allows less than the device's pauses is told so, and the device
// is not blamed for them.
func TestPausesThatOutgrowTheTypeAreTold(t *testing.T) {
	if testing.Short() {
		t.Skip("short: a row of growing pauses")
	}
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{"recovery/backoff"})
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Device.Type.Timing.ReconnectWithin = 900 * time.Millisecond
	r := runChild(t, job)["recovery/backoff"]
	if said := strings.Join(r.Warnings, "; "); r.Verdict != record.Warn || !strings.Contains(said, "its pauses grew to") || !strings.Contains(said, "the type allows 0.90 s") {
		t.Errorf("%s %s %s, want a warning that the type allows less", r.Verdict, r.Message, r.Cause)
	}
}

// What line-rate loads once more leaves no lone file behind: a device that
// waits for a whole set would hold its key against the next certificate.
func TestASlowConsoleIsOneRed(t *testing.T) {
	if testing.Short() {
		t.Skip("short: a console ten times as slow as its line")
	}
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{"provisioning/line-rate", "provisioning/replace"})
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Device.Serial.Emulated.Profile = "reboots-when-provisioned"
	job.Device.Serial.Emulated.Faults = []string{"slow-console"}
	results := runChild(t, job)
	if r := results["provisioning/line-rate"]; r.Verdict != record.Fail {
		t.Errorf("line-rate: %s, want a failure", r.Verdict)
	}
	if r := results["provisioning/replace"]; r.Verdict != record.Pass {
		t.Errorf("replace: %s %s %s, want a pass", r.Verdict, r.Message, r.Cause)
	}
}

package junit_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/peers"
	"hilrig/record"
	"hilrig/reports/junit"
)

var update = flag.Bool("update", false, "write golden files anew")

func limit(v float64) *float64 { return &v }

// example has a case of every kind.
func example() *record.Record {
	start := time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)
	spec := func(id string, v record.Verdict, c record.Class, message string) record.SpecResult {
		return record.SpecResult{ID: id, Text: "does what it should", Labels: []string{"core"}, Verdict: v, Class: c, Message: message,
			Started: start.Add(time.Second), Seconds: 1.2041, Attempts: []record.Attempt{{Started: start, Seconds: 1.2041, Verdict: v, Class: c, Message: message}}}
	}
	failed := spec("tls/expired", record.Fail, record.ClassDevice, "expected a refusal; saw MQTT CONNECT")
	failed.Expected, failed.Seen, failed.Look = "a refusal", "MQTT CONNECT", "the TLS configuration"
	failed.Output = []string{"… < \x1b[31m\x00\xff COMMAND PROCESSED OK", "]]> & <tag>"}
	failed.Measurements = []record.Measurement{{Name: "connect", Value: 121, Unit: "s", High: limit(120), Verdict: record.Fail}}
	again := spec("tls/self-signed", record.Fail, record.ClassDevice, "second try")
	again.Attempts = append([]record.Attempt{{Verdict: record.Fail, Class: record.ClassDevice, Message: "first try"}}, again.Attempts...)
	flaky := spec("tls/wrong-name", record.Pass, "", "")
	flaky.Flaky, flaky.Attempts = true, []record.Attempt{{Verdict: record.Fail, Class: record.ClassDevice, Message: "the first time"}, {Verdict: record.Pass}}
	warned := spec("tls/unknown-root", record.Warn, "", "")
	warned.Warnings = []string{"refuses without a TLS alert"}
	skipped := spec("tls/server-name", record.NotApplicable, "", "")
	skipped.Cause = "the hub's host is an IP address"
	notRun := spec("delivery/topic", record.NotRun, record.RigPort, "")
	notRun.Cause = "port gone"
	missing := spec("delivery/qos", record.NotRun, "", "")
	r := &record.Record{
		Schema: record.Schema, Run: record.Run{
			ID: "20261122T231501Z-7f3a", Rig: "bench-1", Host: "lab", Version: "1.0", Started: start, Ended: start.Add(9 * time.Second),
			Selection: record.Selection{Specs: []string{"tls/*"}, Chosen: 9, Catalogue: 90},
		},
		Firmware: record.Firmware{Version: "2.4.1", SHA256: "ab"},
		Devices: []record.DeviceRecord{
			{Name: "ads300-a", Type: "ads300", DeviceID: "NewDevice", DeviceFacts: record.DeviceFacts{
				Running: record.Running{Version: "2.4.1", SHA256: "ab", Known: record.Flashed}, Hardware: record.Hardware{Serial: "ADS-0042", Known: record.Asked, Revision: "B"},
			}, Specs: []record.SpecResult{
				spec("tls/version", record.Pass, "", ""), warned, failed, again, flaky, skipped, notRun, missing,
				spec("recovery/hub-restart", record.Error, record.RigHub, "hub port taken"),
			}},
			{Name: "ads300-b", Type: "ads300", DeviceID: "Other", Cause: "child was killed by signal 9", Class: record.Harness},
			{Name: "emu.1", Type: "ads300", DeviceID: "Third", Emulated: true, Specs: []record.SpecResult{
				spec("tls/version", record.Pass, "", ""), spec("tls/expired", record.Fail, record.ClassDevice, "expected a refusal; saw MQTT CONNECT"),
			}},
		},
	}
	r.Conclude()
	return r
}

func render(t *testing.T, r *record.Record, o junit.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := junit.Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for name, o := range map[string]junit.Options{"default": {}, "strict": {Strict: true}} {
		t.Run(name, func(t *testing.T) {
			got, golden := render(t, example(), o), filepath.Join("testdata", name+".xml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s; go test -update writes it anew\n%s", golden, got)
			}
		})
	}
}

func TestStrictIsValid(t *testing.T) {
	path := peers.Find(t, "xmllint")
	f := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(f, render(t, example(), junit.Options{Strict: true}), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "--noout", "--schema", filepath.Join("testdata", "junit-10.xsd"), f).CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// Names are history's keys: labels, attempts and order must not touch them.
func TestNamesAreStable(t *testing.T) {
	a, b := example(), example()
	specs := b.Devices[0].Specs
	for i := range specs {
		specs[i].Labels, specs[i].Attempts = []string{"other"}, nil
	}
	for i, j := 0, len(specs)-1; i < j; i, j = i+1, j-1 {
		specs[i], specs[j] = specs[j], specs[i]
	}
	if x, y := names(t, a), names(t, b); len(x) != len(y) {
		t.Errorf("%d and %d names", len(x), len(y))
	} else {
		for n := range x {
			if !y[n] {
				t.Errorf("%s changed", n)
			}
		}
	}
}

func names(t *testing.T, r *record.Record) map[string]bool {
	t.Helper()
	var doc struct {
		Suites []struct {
			Cases []struct {
				Name      string `xml:"name,attr"`
				Classname string `xml:"classname,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(render(t, r, junit.Options{}), &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			key := c.Classname + "#" + c.Name
			if all[key] {
				t.Errorf("%s twice: GitLab would drop the second", key)
			}
			all[key] = true
		}
	}
	return all
}

// The names of cases are all that tells thirty boards of a type apart: what two
// of them share, a consumer takes for one case and drops the second.
func TestCasesOfTwoDevicesOfOneTypeAreTwoCases(t *testing.T) {
	r := example()
	all := names(t, r) // fails where one is there twice
	for _, want := range []string{
		"hilrig.ads300.ads300-a.tls#tls/version does what it should", "hilrig.ads300.emu·1.tls#tls/version does what it should",
		"hilrig.ads300.ads300-b.device#device ads300-b",
	} {
		if !all[want] {
			t.Errorf("no case %s in %v", want, all)
		}
	}
	r.Devices[0].Name, r.Devices[2].Name = "a_b", "a.b" // what a replacement of dots could make one
	r.Devices[0].Specs = r.Devices[2].Specs
	names(t, r)
}

// A consumer that shows no classname shows the text: it names the device.
func TestEveryTextOfAFailureNamesItsDevice(t *testing.T) {
	var doc struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure string `xml:"failure"`
				Error   string `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(render(t, example(), junit.Options{}), &doc); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, s := range doc.Suites {
		device := strings.TrimPrefix(s.Name, "bench-1.")
		for _, c := range s.Cases {
			if text := c.Failure + c.Error; text != "" {
				if told++; !strings.Contains(text, "device: "+device) {
					t.Errorf("%s on %s says only %q", c.Name, device, text)
				}
			}
		}
	}
	if told != 7 {
		t.Errorf("%d failures and errors, want 7", told)
	}
}

// A run that was killed after its last spec must not look like one that
// passed: each of its suites has an error that says so.
func TestARunWithoutAnEndIsAnErrorOfEverySuite(t *testing.T) {
	for cut, change := range map[string]func(*record.Run){
		"was killed before its end": func(r *record.Run) { r.Ended = time.Time{} },
		"broke off (SIGQUIT: quit)": func(r *record.Run) { r.Ended, r.Broke = time.Time{}, "SIGQUIT: quit" },
		"was interrupted":           func(r *record.Run) { r.Interrupted = true },
		"was out of time":           func(r *record.Run) { r.TimedOut = true },
	} {
		r := example()
		for i := range r.Devices {
			r.Devices[i].Cause, r.Devices[i].Specs = "", []record.SpecResult{{ID: "tls/version", Text: "negotiates", Verdict: record.Pass}}
		}
		r.Conclude()
		whole := string(render(t, r, junit.Options{}))
		change(&r.Run)
		r.Conclude()
		text := string(render(t, r, junit.Options{Strict: true}))
		if n := strings.Count(text, `<error type="not-run" message="the run `+cut); n != len(r.Devices) || strings.Contains(whole, "<error") {
			t.Errorf("%s: %d errors, want %d, and none where the run ended:\n%s", cut, n, len(r.Devices), text)
		}
	}
}

// Every suite says what was asked, whether the device is made of software, and
// what that proves.
func TestSuitesNameTheSelection(t *testing.T) {
	text := string(render(t, example(), junit.Options{Strict: true}))
	for _, want := range []string{
		`<property name="selection" value="9 of 90 specs: tls/*">`, `<property name="emulated" value="true">`, `<property name="emulated" value="false">`,
		`<property name="says" value="Firmware 2.4.1 failed: `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

// Jenkins takes absolute paths, GitLab only those below its project's folder.
func TestAttachmentsAreNamedAsTheConsumerWants(t *testing.T) {
	root := t.TempDir()
	run := filepath.Join(root, "reports", "out", "r1")
	if err := os.MkdirAll(filepath.Join(run, "devices", "ads300-a"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(run, "devices", "ads300-a", "transcript.log")
	if err := os.WriteFile(file, []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ root, want string }{
		"absolute": {"", file}, "below the root": {root, "reports/out/r1/devices/ads300-a/transcript.log"}, "outside of it": {t.TempDir(), file},
	} {
		text := string(render(t, example(), junit.Options{RunDir: run, Root: c.root}))
		if !strings.Contains(text, "&#xA;[[ATTACHMENT|"+c.want+"]]") && !strings.Contains(text, ">[[ATTACHMENT|"+c.want+"]]") {
			t.Errorf("%s: no %s in\n%s", name, c.want, text)
		}
	}
}

func TestFiveThousandCasesStaySmall(t *testing.T) {
	r := example()
	for i := range 5000 {
		s := r.Devices[0].Specs[0]
		s.ID = fmt.Sprintf("tls/case-%d", i)
		s.Output = []string{strings.Repeat("x", 100_000)}
		s.Warnings = []string{strings.Repeat("w", 5000)}
		r.Devices[0].Specs = append(r.Devices[0].Specs, s)
	}
	if n := len(render(t, r, junit.Options{})); n > 8<<20 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain", "\x00\x1b[0m \xff\xfe ]]> \ufffe")
	f.Fuzz(func(t *testing.T, a, b string) {
		r := example()
		r.Devices[0].Specs[2].Message, r.Devices[0].Specs[2].Output = a, []string{b}
		r.Devices[0].Name, r.Run.Rig = b, a
		var doc struct {
			XMLName xml.Name `xml:"testsuites"`
		}
		if err := xml.Unmarshal(render(t, r, junit.Options{}), &doc); err != nil {
			t.Errorf("not well-formed: %v", err)
		}
	})
}

package view

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// twoDevices is a finished run with everything that can happen in it.
func twoDevices() *record.Record {
	started := time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)
	spec := func(id string, v record.Verdict, change func(*record.SpecResult)) record.SpecResult {
		s := record.SpecResult{ID: id, Verdict: v, Seconds: 1.2041}
		if change != nil {
			change(&s)
		}
		return s
	}
	r := &record.Record{Schema: record.Schema, Run: record.Run{ID: "x", Started: started, Ended: started.Add(83 * time.Second)}}
	r.Devices = []record.DeviceRecord{
		{Name: "ads300-a", Specs: []record.SpecResult{
			spec("tls/version", record.Pass, nil),
			spec("tls/expired", record.Fail, func(s *record.SpecResult) {
				s.Class, s.Message = record.ClassDevice, "expected the device to refuse; saw\na handshake"
				s.Expected, s.Seen, s.Why = "the device to refuse", "a\nhandshake", "a stolen key stays good for ever"
				s.Look, s.At = "the clock of the device", 12.31
			}),
			spec("tls/wrong-name", record.Warn, func(s *record.SpecResult) { s.Warnings = []string{"refused without an alert"} }),
			spec("delivery/qos", record.Pass, func(s *record.SpecResult) {
				s.Flaky, s.Attempts = true, make([]record.Attempt, 2)
			}),
			spec("recovery/drill", record.NotApplicable, func(s *record.SpecResult) { s.Cause = "no power control" }),
		}},
		{Name: "b", Specs: []record.SpecResult{
			spec("tls/version", record.Error, func(s *record.SpecResult) {
				s.Class, s.Message = record.Harness, "child was killed by signal 9 while tls/version ran"
			}),
			spec("tls/expired", record.NotRun, func(s *record.SpecResult) { s.Cause = "child was killed by signal 9" }),
			spec("tls/wrong-name", record.NotRun, func(s *record.SpecResult) { s.Cause = "child was killed by signal 9" }),
			spec("delivery/qos", record.NotRun, func(s *record.SpecResult) { s.Cause = "child was killed by signal 9" }),
			spec("recovery/drill", record.NotApplicable, func(s *record.SpecResult) { s.Cause = "no power control" }),
		}},
	}
	r.Conclude()
	return r
}

// golden holds got against a file; UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestLines(t *testing.T) {
	r := twoDevices()
	p := &runner.Plan{Hubs: []rigfile.Hub{rigfile.DefaultHub()}, Devices: []rigfile.Device{{Name: "ads300-a"}, {Name: "b"}}}
	for _, s := range r.Devices[0].Specs {
		p.Specs = append(p.Specs, fixtures.Spec{ID: s.ID})
	}
	for _, ink := range []terminal.Palette{false, true} {
		var b bytes.Buffer
		l := newLines(&b, p, ink)
		for _, d := range r.Devices {
			for _, s := range d.Specs {
				l.Event(record.Event{Kind: record.KindSpecFinished, Device: d.Name, Data: record.MustData(s)})
			}
		}
		l.Event(record.Event{Kind: runner.KindRunHalting, Text: "interrupted: finishing the step"})
		l.Close()
		if !bool(ink) && strings.Contains(b.String(), "\x1b") {
			t.Error("colour where there is none")
		}
		golden(t, fmt.Sprintf("lines-%t.golden", ink), b.String())
	}
}

func TestSummary(t *testing.T) {
	var b bytes.Buffer
	Summary(&b, "/runs/x", twoDevices(), []string{"/runs/x/junit.xml", "/runs/x/report.html"})
	golden(t, "summary.golden", b.String())
}

// What many boards have for one cause is told once.
func TestTheSummaryOfAShelfTellsACauseOnce(t *testing.T) {
	r := &record.Record{Schema: record.Schema}
	for i := range 12 {
		name := fmt.Sprintf("board-%d", i+1)
		d := record.DeviceRecord{Name: name, DeviceID: "Id" + name, DeviceFacts: record.DeviceFacts{Port: "/dev/serial/by-id/usb-" + string(rune('a'+i))}}
		switch {
		case i < 9:
			d.Specs = []record.SpecResult{{ID: "tls/expired", Verdict: record.Fail, Class: record.ClassDevice, Message: fmt.Sprintf("a handshake of Id%s in %d s", name, i)}}
		default:
			d.Cause, d.Class = "open "+d.Port+": busy", record.RigPort
			d.Specs = []record.SpecResult{{ID: "tls/expired", Verdict: record.NotRun, Cause: d.Cause}}
		}
		r.Devices = append(r.Devices, d)
	}
	r.Conclude()
	var b bytes.Buffer
	Summary(&b, "/runs/x", r, []string{"/runs/x/report.html"})
	golden(t, "summary-shelf.golden", b.String())
}

// At a terminal the words stay beside their labels, within its width.
func TestADiagnosisIsWrappedBesideItsLabel(t *testing.T) {
	got := labelled("look first", "the host name check of the TLS library", 40, false)
	want := "  look first  the host name check of the\n              TLS library\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

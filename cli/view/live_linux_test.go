package view

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/creack/pty"

	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// Thirty devices at a terminal: the bars draw while events come, and neither
// ever waits for the other for good.
func TestTheLiveViewOfThirtyDevicesComesToItsEnd(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, master) }()
	to := Streams{Out: tty, Err: tty, LogTo: terminal.NewRedirect(tty), Log: slog.New(slog.DiscardHandler)}
	p := &runner.Plan{Hubs: []rigfile.Hub{rigfile.DefaultHub()}, Own: map[string][]fixtures.Spec{}}
	for n := range 30 {
		d := rigfile.Device{Name: fmt.Sprintf("emu-%d", n)}
		p.Devices = append(p.Devices, d)
		for s := range 2000 {
			p.Own[d.Name] = append(p.Own[d.Name], fixtures.Spec{ID: fmt.Sprintf("tls/%d", s)})
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v := newLive(to, p, nil)
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
			for _, d := range p.Devices {
				spec := record.SpecResult{ID: "tls/1", Verdict: record.NotRun, Cause: "the same"} // no line each: the bars are at issue
				v.Event(record.Event{Device: d.Name, Kind: record.KindSpecStarted, Spec: "tls/1"})
				v.Event(record.Event{Device: d.Name, Kind: record.KindSpecStep, Text: "a step"})
				v.Event(record.Event{Device: d.Name, Kind: record.KindSpecFinished, Spec: "tls/1", Data: record.MustData(spec)})
			}
		}
		v.Close()
	}()
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		t.Fatal("the view hangs")
	}
}

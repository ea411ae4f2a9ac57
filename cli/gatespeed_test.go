package cli

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hilrig/cli/past"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
	"hilrig/suites"
)

// A month of nights: thirty runs of twenty boards, each with every spec, a
// history that knows them, and streams of 100 kB a board.
func BenchmarkGateOverThirtyRuns(b *testing.B) {
	dir := b.TempDir()
	b.Setenv("HILRIG_STATE", filepath.Join(dir, "state"))
	a := &app{App: &verb.App{Out: io.Discard, Err: io.Discard, Log: slog.New(slog.DiscardHandler), Catalogue: suites.All()}}
	out := filepath.Join(dir, "out")
	stream := bytes.Repeat([]byte("2026-11-27T10:00:00Z <- a line of a console\n"), 100_000/44)
	var names []string
	for n := range 30 {
		r := nightOf(a, n, 20)
		names = append(names, r.Run.ID)
		of := filepath.Join(out, r.Run.ID)
		for _, d := range r.Devices {
			if err := os.MkdirAll(filepath.Join(of, "devices", d.Name), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(of, "devices", d.Name, "transcript.log"), stream, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.Save(filepath.Join(of, record.RecordFile)); err != nil {
			b.Fatal(err)
		}
		state, err := runner.StateDir()
		if err != nil {
			b.Fatal(err)
		}
		past.Begun(a.Log, state, of, r)
		past.Ended(a.Log, state, of, r)
	}
	policy := filepath.Join(dir, "gate.yaml")
	if err := os.WriteFile(policy, []byte("policy: month\nboards: [{type: ads300, at_least: 20}]\nrequired: ['*']\nevidence: {runs: 30}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	args := append([]string{"gate", "--policy", policy, "--out", out}, names...)
	for b.Loop() {
		var complaint bytes.Buffer
		if code := Main(args, nil, io.Discard, &complaint); code != runner.ExitPass {
			b.Fatal(code, &complaint)
		}
	}
}

func nightOf(a *app, n, boards int) *record.Record {
	started := time.Now().AddDate(0, 0, n-31).UTC()
	r := &record.Record{
		Schema:   record.Schema,
		Run:      record.Run{ID: fmt.Sprintf("%s-%04x", started.Format("20060102T150405Z"), n), Rig: "shelf", Host: "lab", Version: "v1.0.0", Started: started, Ended: started.Add(time.Hour), Arguments: []string{"run"}},
		Firmware: record.Firmware{Version: "2.4.1", SHA256: fmt.Sprintf("%064d", 1)},
	}
	for i := range boards {
		d := record.DeviceRecord{Name: fmt.Sprintf("ads300-%02d", i), Type: "ads300"}
		d.Hub, d.Hardware = record.Hub{Name: "local", Kind: "local"}, record.Hardware{Serial: fmt.Sprint("A", i), Known: record.Asked}
		d.Running = record.Running{Version: "2.4.1", SHA256: r.Firmware.SHA256, Known: record.Flashed}
		for _, s := range a.Catalogue {
			d.Specs = append(d.Specs, record.SpecResult{
				ID: s.ID, Text: s.Text, Labels: s.Labels, Verdict: record.Pass, Started: started, Seconds: 1.5,
				Attempts:     []record.Attempt{{Started: started, Seconds: 1.5, Verdict: record.Pass}},
				Steps:        []record.Step{{At: 1, Text: "the device connects"}, {At: 2, Text: "the device sends telemetry"}},
				Measurements: []record.Measurement{{Name: "connect", Value: 0.4, Unit: "s"}},
			})
		}
		r.Devices = append(r.Devices, d)
	}
	r.Conclude()
	return r
}

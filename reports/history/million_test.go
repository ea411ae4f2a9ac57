package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hilrig/record"
)

// shelf is what a night of twenty boards finds, of ninety specs each.
func shelf(n int, version, rig string, source *rand.Rand) *record.Record {
	r := night(n, version)
	r.Run.Rig, r.Run.ID = rig, r.Run.ID+rig
	r.Run.Selection = record.Selection{Chosen: 90, Catalogue: 90}
	for b := range 20 {
		d := record.DeviceRecord{Name: fmt.Sprint("slot-", b), Type: "ads300"}
		d.Hardware, d.Running = record.Hardware{Serial: fmt.Sprint(rig, "-", b)}, record.Running{Version: version, Known: record.Asked}
		for s := range 90 {
			v := record.Pass
			switch x := source.IntN(1000); {
			case x < 20, s == 7 && b == 3, s == 9 && n > 100:
				v = record.Fail
			case x < 30:
				v = record.Warn
			case x < 35:
				v = record.Error
			case x < 40:
				v = record.NotRun
			}
			spec := record.SpecResult{ID: fmt.Sprintf("area-%d/spec-%02d", s/10, s), Verdict: v, Message: "it says what was expected and what was seen"}
			if s%2 == 0 {
				most := 2.0
				spec.Measurements = []record.Measurement{record.Measurement{Name: "connect", Value: 1 + source.NormFloat64()/5, Unit: "s", High: &most}.Judge()}
			}
			d.Specs = append(d.Specs, spec)
		}
		r.Devices = append(r.Devices, d)
	}
	r.Conclude()
	return r
}

// BenchmarkAMillionResults asks each question of a million results, and tells
// one run more: with a firmware for a month, and with another one each night.
func BenchmarkAMillionResults(b *testing.B) {
	for name, nights := range map[string]int{"a firmware a month": 30, "a firmware a night": 1} {
		b.Run(name, func(b *testing.B) {
			ctx, dir := b.Context(), b.TempDir()
			h, err := Open(ctx, dir)
			if err != nil {
				b.Fatal(err)
			}
			source := rand.New(rand.NewPCG(1, 2))
			version := func(n int) string { return fmt.Sprint("2.4.", n/nights) }
			const runs = 556
			files := map[string]string{"run.json": "1"}
			for n := range runs {
				if err := h.Ended(ctx, "runs", shelf(n/2, version(n/2), []string{"lab-a", "lab-b"}[n%2], source), files); err != nil {
					b.Fatal(err)
				}
			}
			r := shelf(runs, version(runs), "lab-a", source)
			slowest := map[string]time.Duration{}
			timed := func(what string, do func() error) {
				if err := h.Close(); err != nil { // a verb is a process of its own
					b.Fatal(err)
				}
				began := time.Now()
				if h, err = Open(ctx, dir); err != nil {
					b.Fatal(err)
				}
				if err := do(); err != nil {
					b.Fatal(what, err)
				}
				slowest[what] = max(slowest[what], time.Since(began))
			}
			for b.Loop() {
				for what, ask := range map[string]func(context.Context) error{
					"runs":     func(ctx context.Context) error { _, err := h.Runs(ctx, 0); return err },
					"spec":     func(ctx context.Context) error { _, err := h.Spec(ctx, "area-0/spec-07"); return err },
					"board":    func(ctx context.Context) error { _, err := h.Board(ctx, "lab-a-3", 20); return err },
					"suspects": func(ctx context.Context) error { _, err := h.Suspects(ctx, ""); return err },
					"alone":    func(ctx context.Context) error { _, err := h.Suspects(ctx, "lab-a-3"); return err },
					"rigs":     func(ctx context.Context) error { _, err := h.SuspectRigs(ctx); return err },
					"firmware": func(ctx context.Context) error { _, err := h.Firmwares(ctx); return err },
					"flaky":    func(ctx context.Context) error { _, err := h.Flaky(ctx); return err },
					"before":   func(ctx context.Context) error { _, err := h.Before(ctx, r); return err },
					"cells":    func(ctx context.Context) error { _, err := h.Cells(ctx); return err },
					"tests":    func(ctx context.Context) error { _, err := h.Tests(ctx); return err },
					"places":   func(ctx context.Context) error { _, err := h.Places(ctx, 30); return err },
					"measures": func(ctx context.Context) error { _, err := h.Measures(ctx, time.Time{}); return err },
					"missing":  func(ctx context.Context) error { _, err := h.Missing(ctx); return err },
					"of":       func(ctx context.Context) error { _, err := h.Of(ctx, version(3), ""); return err },
				} {
					timed(what, func() error { return ask(ctx) })
				}
				timed("begin", func() error { return h.Begun(ctx, "runs", r) })
				timed("end", func() error { return h.Ended(ctx, "runs", r, files) })
				r.Run.ID += "+"
			}
			for what, d := range slowest {
				b.ReportMetric(float64(d.Microseconds())/1000, "ms-"+what)
			}
		})
	}
}

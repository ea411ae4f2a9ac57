package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hilrig/cli/verb"
	"hilrig/peers"
	"hilrig/record"
	"hilrig/reports/history"
	"hilrig/runner"
	"hilrig/suites"
)

// BenchmarkReportOfAHundredBoards is hilrig report as a process of its own:
// junit.xml and report.html of a hundred boards of ninety specs.
func BenchmarkReportOfAHundredBoards(b *testing.B) {
	a, dir := shelfIn(b)
	saved(b, dir, foundOf(a, 0, 100))
	var cpu, memory float64
	for b.Loop() {
		cmd := &exec.Cmd{Path: os.Args[0], Args: []string{"hilrig", "report", dir}}
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			memory = max(memory, float64(used.Maxrss)*1024/1e6)
		}
	}
	b.ReportMetric(cpu/float64(b.N), "cpu-s")
	b.ReportMetric(memory, "MB")
}

// BenchmarkPagesInChromium opens report.html of five thousand results, and
// history.html of a year of nights of twenty boards with a firmware each.
func BenchmarkPagesInChromium(b *testing.B) {
	browser := peers.Find(b, "chromium")
	for name, write := range map[string]func(b *testing.B) (page string){
		"report": func(b *testing.B) string {
			a, dir := shelfIn(b)
			saved(b, dir, foundOf(a, 0, 5000/ninety))
			if err := a.report(dir, form{}); err != nil {
				b.Fatal(err)
			}
			return filepath.Join(dir, "report.html")
		},
		"history": func(b *testing.B) string {
			a, dir := shelfIn(b)
			return yearOf(b, a, dir)
		},
	} {
		b.Run(name, func(b *testing.B) {
			page := write(b)
			text, err := os.ReadFile(page)
			if err != nil {
				b.Fatal(err)
			}
			var ready, load []float64
			for b.Loop() {
				r, l := opened(b, browser, page, text)
				ready, load = append(ready, r), append(load, l)
			}
			b.ReportMetric(median(ready), "ms-ready")
			b.ReportMetric(median(load), "ms-load")
			b.ReportMetric(float64(len(text))/1e6, "MB")
		})
	}
}

// opened is when a page was ready and loaded, in ms from when the browser went
// to it.
func opened(b *testing.B, browser, page string, text []byte) (ready, load float64) {
	b.Helper()
	const ask = `<script>addEventListener('load', function () { var t = performance.timing; document.title = [t.domContentLoadedEventEnd - t.navigationStart, t.loadEventStart - t.navigationStart]; });</script></body>`
	asks := filepath.Join(filepath.Dir(page), "asks.html")
	if err := os.WriteFile(asks, bytes.Replace(text, []byte("</body>"), []byte(ask), 1), 0o600); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+b.TempDir(), "--dump-dom", "file://"+asks).Output()
	if err != nil {
		b.Fatal("chromium: ", err)
	}
	m := regexp.MustCompile(`<title>(\d+),(\d+)</title>`).FindSubmatch(out)
	if m == nil {
		b.Fatal("the page did not say when it was ready")
	}
	ready, readyErr := strconv.ParseFloat(string(m[1]), 64)
	load, err = strconv.ParseFloat(string(m[2]), 64)
	if err := cmp.Or(readyErr, err); err != nil {
		b.Fatal(err)
	}
	return ready, load
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

const ninety = 90 // specs

// shelfIn is hilrig with a state and a run folder of its own.
func shelfIn(b *testing.B) (a *app, dir string) {
	b.Helper()
	dir = b.TempDir()
	b.Setenv("HILRIG_STATE", filepath.Join(dir, "state"))
	return &app{App: &verb.App{Out: io.Discard, Err: io.Discard, Log: slog.New(slog.DiscardHandler), Catalogue: suites.All()[:ninety]}}, filepath.Join(dir, "run")
}

// foundOf is night n of some boards, with what a night finds: a spec that each
// sixth board fails alike, some that boards fail alone, a warning, an error of
// the rig; and as many measurements as specs.
func foundOf(a *app, n, boards int) *record.Record {
	r := nightOf(a, n, boards)
	source, high := rand.New(rand.NewPCG(uint64(n), 15)), 2.0
	long := strings.Repeat("what was seen at this moment of the session ", 3)
	for i := range r.Devices {
		d := &r.Devices[i]
		for j := range d.Specs {
			s := &d.Specs[j]
			s.Measurements = nil
			for k := range 2 * (j % 2) {
				m := record.Measurement{Name: []string{"time to the first message", "handshake"}[k], Value: 0.4 + 0.02*source.NormFloat64() + 0.1*float64(j%7), Unit: "s"}
				if j%8 == 1 {
					m.High = &high
				}
				if i == 7 && j == 9 {
					m.Value *= 1.4 // a board that is slow
				}
				s.Measurements = append(s.Measurements, m.Judge())
			}
			switch x := source.IntN(1000); {
			case x < 15, j == 40 && i%6 == 0:
				s.Verdict, s.Class, s.Expected, s.Seen, s.Why, s.Look, s.At = record.Fail, record.ClassDevice, long, fmt.Sprint(long, x%4), long, long, 100
				s.Message = "expected " + s.Expected + "; saw " + s.Seen
				s.Evidence = record.Evidence{TimelineFrom: 700_000, TimelineTo: 720_000}
				for range 40 {
					s.Output = append(s.Output, "2026-11-27T22:58:36.750266Z +17.065545 < COMMAND PROCESSED OK")
				}
			case x < 20:
				s.Verdict, s.Warnings = record.Warn, []string{"refuses without a TLS alert"}
			case x < 25:
				s.Verdict, s.Class, s.Message = record.Error, record.RigHub, "port 8883 is taken"
			case x < 30:
				s.Verdict, s.Cause = record.NotRun, "port is held by another process"
			}
		}
	}
	r.Conclude()
	return r
}

// saved puts a run into its folder, with the timeline of each board.
func saved(b *testing.B, dir string, r *record.Record) {
	b.Helper()
	var line bytes.Buffer
	for i := range 8000 {
		if err := json.NewEncoder(&line).Encode(record.Event{At: float64(i) / 10, Device: "board", Source: record.SourceSerial, Kind: "received", Text: "a line of a console, COMMAND PROCESSED OK"}); err != nil {
			b.Fatal(err)
		}
	}
	for _, d := range r.Devices {
		of := filepath.Join(dir, "devices", d.Name)
		if err := os.MkdirAll(of, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(of, "timeline.jsonl"), line.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Save(filepath.Join(dir, record.RecordFile)); err != nil {
		b.Fatal(err)
	}
}

// yearOf writes history.html of a year.
func yearOf(b *testing.B, a *app, dir string) (page string) {
	b.Helper()
	state, err := runner.StateDir()
	if err != nil {
		b.Fatal(err)
	}
	h, err := history.Open(b.Context(), state)
	if err != nil {
		b.Fatal(err)
	}
	for n := range 365 {
		r := foundOf(a, n, 20)
		r.Run.Started = r.Run.Started.AddDate(0, -11, 0)
		version := fmt.Sprint("2.4.", n)
		for i := range r.Devices {
			r.Devices[i].Running.Version, r.Devices[i].Running.SHA256 = version, fmt.Sprintf("%064d", n)
		}
		if err := h.Ended(b.Context(), filepath.Join(dir, r.Run.ID), r, map[string]string{"run.json": "1"}); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
	page = filepath.Join(dir, "history.html")
	var complaint bytes.Buffer
	if code := Main([]string{"history", "page", "--out", page}, nil, io.Discard, &complaint); code != runner.ExitPass {
		b.Fatal(code, &complaint)
	}
	return page
}

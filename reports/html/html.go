package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"hilrig/record"
)

//go:embed report.gohtml
var page string

//go:embed report.css
var style string

//go:embed report.js
var script string

// Write writes the report of r. runDir is where devices/<name>/ is; without it
// the report has no timelines.
func Write(w io.Writer, r *record.Record, runDir string) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"seconds": func(s float64) string { return fmt.Sprintf("%.2f s", s) },
		"at":      func(s float64) string { return fmt.Sprintf("%.3f", s) },
		"clock":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"number":  number,
		"join":    strings.Join,
		"mark":    func(v record.Verdict) string { return marks[v] },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read report template: %w", err)
	}
	return t.Execute(w, view(r, runDir))
}

// document is what the page shows.
type document struct {
	Style    template.CSS
	Script   template.JS
	R        *record.Record
	Title    string
	Sentence string
	Verdict  record.Verdict
	Selftest *record.Selftest
	Counts   []count
	Areas    []area
	Failures []failure
	Measured []measured
}

type count struct {
	Verdict record.Verdict
	N       int
}

// area is a part of the matrix spec × device.
type area struct {
	Name string
	Rows []row
}

type row struct {
	ID, Text string
	Cells    []cell
}

type cell struct {
	Verdict record.Verdict
	Mark    string
	Title   string
	Anchor  string
	Flaky   bool
}

type failure struct {
	Anchor   string
	Device   string
	Spec     record.SpecResult
	Timeline []moment
	Cut      int
}

// marks are the verdicts' signs, so that colour is never all there is.
var marks = map[record.Verdict]string{
	record.Pass: "✓", record.Warn: "!", record.Fail: "✗", record.Error: "⚡", record.NotRun: "–", record.NotApplicable: "·",
}

func view(r *record.Record, runDir string) document {
	d := document{Style: template.CSS(style), Script: template.JS(script), R: r, Title: r.Run.Rig + " " + string(r.Run.Verdict)} //nolint:gosec // our own files
	d.Sentence, d.Verdict = sentence(r), r.Run.Verdict
	if t := r.Selftest; t != nil {
		d.Sentence, d.Verdict, d.Selftest = selftest(t), t.Verdict, t
		d.Title = "selftest " + string(t.Verdict)
		return d
	}
	n := r.Count()
	for _, v := range []record.Verdict{record.Fail, record.Error, record.NotRun, record.Warn, record.Pass, record.NotApplicable} {
		if n[v] > 0 {
			d.Counts = append(d.Counts, count{v, n[v]})
		}
	}
	d.Areas = matrix(r)
	d.Failures = failures(r, runDir)
	d.Measured = measurements(r)
	return d
}

// sentence is the verdict for somebody who reads nothing else.
func sentence(r *record.Record) string {
	what := "The firmware"
	if r.Firmware.Version != "" {
		what = "Firmware " + r.Firmware.Version
	}
	n := r.Count()
	on := fmt.Sprintf("%d specs on %d devices", total(n), len(r.Devices))
	if len(r.Devices) == 1 {
		on = fmt.Sprintf("%d specs on %s", total(n), r.Devices[0].Name)
	}
	switch r.Run.Verdict {
	case record.Pass:
		return fmt.Sprintf("%s passed: %s, all as they should be.", what, on)
	case record.Warn:
		return fmt.Sprintf("%s passed with %d warnings: %s.", what, n[record.Warn], on)
	case record.Fail:
		if n[record.Fail] == 0 { // a device did not take its own identity back
			return fmt.Sprintf("%s failed: %s.", what, firstCause(r))
		}
		return fmt.Sprintf("%s failed: %d of %s.", what, n[record.Fail], on)
	case record.Error:
		return fmt.Sprintf("No verdict on the firmware: the rig or the harness failed (%s).", firstCause(r))
	}
	return fmt.Sprintf("No full verdict on the firmware: %d of %s did not run.", n[record.NotRun], on)
}

// selftest is the verdict on the suites themselves: of a device whose fault is
// known, a failure is as it should be.
func selftest(t *record.Selftest) string {
	sound, caught := 0, 0
	for _, s := range t.Sound {
		if s.Verdict == record.Pass {
			sound++
		}
	}
	for _, f := range t.Faults {
		if f.Verdict == record.Pass {
			caught++
		}
	}
	text := fmt.Sprintf("%d of %d faulty firmwares were caught, and sound firmware passed at %d of %d paces", caught, len(t.Faults), sound, len(t.Sound))
	if len(t.Unproven) > 0 {
		text += "; no fault turned " + strings.Join(t.Unproven, ", ") + " red"
	}
	return text + "."
}

func firstCause(r *record.Record) string {
	for _, d := range r.Devices {
		if d.Cause != "" {
			return d.Cause
		}
		for _, s := range d.Specs {
			if s.Verdict == record.Error {
				return s.ID + ": " + s.Message
			}
		}
	}
	return "see below"
}

func total(n map[record.Verdict]int) (all int) {
	for _, k := range n {
		all += k
	}
	return all
}

func anchor(device, spec string) string {
	return strings.NewReplacer("/", "-", " ", "-").Replace("f-" + device + "-" + spec)
}

// matrix has a row for each spec that any device has, in the record's order.
func matrix(r *record.Record) []area {
	var areas []area
	index := map[string][2]int{}
	for di := range r.Devices {
		for _, s := range r.Devices[di].Specs {
			at, known := index[s.ID]
			if !known {
				name, _, _ := strings.Cut(s.ID, "/")
				if len(areas) == 0 || areas[len(areas)-1].Name != name {
					areas = append(areas, area{Name: name})
				}
				a := &areas[len(areas)-1]
				a.Rows = append(a.Rows, row{ID: s.ID, Text: s.Text, Cells: make([]cell, len(r.Devices))})
				at = [2]int{len(areas) - 1, len(a.Rows) - 1}
				index[s.ID] = at
			}
			areas[at[0]].Rows[at[1]].Cells[di] = cellOf(r.Devices[di].Name, s)
		}
	}
	return areas
}

func cellOf(device string, s record.SpecResult) cell {
	c := cell{Verdict: s.Verdict, Mark: marks[s.Verdict], Flaky: s.Flaky, Title: string(s.Verdict)}
	for _, t := range []string{s.Message, s.Cause, strings.Join(s.Warnings, "; ")} {
		if t != "" {
			c.Title += ": " + t
			break
		}
	}
	if told(s) {
		c.Anchor = anchor(device, s.ID)
	}
	return c
}

// told says whether a result has a section of its own.
func told(s record.SpecResult) bool {
	return s.Verdict == record.Fail || s.Verdict == record.Error || s.Verdict == record.Warn
}

func failures(r *record.Record, runDir string) []failure {
	var all []failure
	for _, rank := range []record.Verdict{record.Fail, record.Error, record.Warn} {
		for _, d := range r.Devices {
			for _, s := range d.Specs {
				if s.Verdict != rank {
					continue
				}
				f := failure{Anchor: anchor(d.Name, s.ID), Device: d.Name, Spec: s}
				if len(all) < detailed {
					f.Timeline, f.Cut = timeline(runDir, d.Name, s)
				}
				all = append(all, f)
			}
		}
	}
	return all
}

// detailed is how many failures have their timeline in the page; the rest have
// it in the run folder.
const detailed = 100

// number prints a value, or what a limit points at.
func number(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.4g", v)
	case *float64:
		return fmt.Sprintf("%.4g", *v)
	}
	return fmt.Sprint(v)
}

package html

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/record/wording"
)

//go:embed report.gohtml
var layout string

//go:embed report.css
var style string

//go:embed report.js
var script string

// Options are what a report shows beside its record.
type Options struct {
	RunDir       string              // where devices/<name>/ is; empty: there are no timelines
	Requirements *requirements.Table // nil: nobody has named a list
	Earlier      *Earlier            // nil: nothing is known of earlier runs
}

// Write writes the report of r.
func Write(w io.Writer, r *record.Record, o Options) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"seconds":  func(s float64) string { return fmt.Sprintf("%.2f s", s) },
		"at":       func(s float64) string { return fmt.Sprintf("%.3f", s) },
		"clock":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"number":   number,
		"join":     strings.Join,
		"cut":      wording.Cut,
		"whose":    wording.Emulated,
		"boards":   wording.Boards,
		"board":    wording.Board,
		"firmware": wording.Running,
		"mark":     func(v record.Verdict) string { return marks[v] },
	}).Parse(layout)
	if err != nil {
		return fmt.Errorf("read report template: %w", err)
	}
	d := view(r, o.RunDir, o.Earlier)
	d.Requirements = o.Requirements
	return t.Execute(w, d)
}

// document is what the page shows.
type document struct {
	Style     template.CSS
	Script    template.JS
	R         *record.Record
	Title     string
	Sentence  string
	Sound     string // how many devices are; empty for one
	Verdict   record.Verdict
	Selftest  *record.Selftest
	Grid      grid
	Counts    []count
	Devices   []record.DeviceRecord // what is worst first
	Columns   []column              // of the matrix, one for each
	Shelf     bool                  // more boards than have room beside the text of a spec
	Areas     []area
	Tails     bool // rows have marks of earlier runs
	Since     *Since
	Broken    []wording.Broken
	Failures  []failure
	More      []failure // those for which there is a line only
	Short     shortList
	Files     map[string][]link
	RunFiles  []link
	NotRun    []wording.Lacking
	NotAsked  []wording.Lacking
	Durations []duration
	Limited   []measured
	Measured  []measured // without limits

	Requirements *requirements.Table
}

type count struct {
	Verdict record.Verdict
	N       int
	Anchor  string
}

func view(r *record.Record, runDir string, before *Earlier) document {
	d := document{Style: template.CSS(style), Script: template.JS(script), R: r, Title: title(r)} //nolint:gosec // our own files
	d.Sentence, d.Verdict = wording.Sentence(r), r.Run.Verdict
	if t := r.Selftest; t != nil {
		d.Sentence, d.Verdict, d.Selftest, d.Grid = selftest(t), t.Verdict, t, gridOf(t)
		d.Title = "selftest " + string(t.Verdict)
		return d
	}
	d.Sound = wording.Soundness(r)
	d.Devices = worstFirst(r.Devices)
	sorted := *r
	sorted.Devices = d.Devices
	r = &sorted
	n := r.Count()
	for _, v := range record.WorstFirst() {
		if n[v] > 0 {
			d.Counts = append(d.Counts, count{v, n[v], anchors[v]})
		}
	}
	d.Broken = wording.AsAWhole(r)
	d.Failures, d.More = failures(r, runDir)
	for i := range d.Failures {
		d.Failures[i].Tail = before.tail(d.Failures[i].Device, d.Failures[i].Spec.ID)
	}
	d.Short = shortOf(d.Failures)
	d.Areas, d.Columns = matrix(r, cards(d.Failures))
	if before != nil {
		d.Since = before.Since
	}
	d.Tails = before.onto(d.Areas, r.Devices)
	d.Shelf = len(d.Columns) > beside
	d.Files, d.RunFiles = links(runDir, r.Devices)
	d.NotRun, d.NotAsked = wording.Without(r, record.NotRun), wording.Without(r, record.NotApplicable)
	d.Durations = durations(r)
	d.Limited, d.Measured = measurements(r)
	return d
}

// title is what a tab or a bookmark has room for.
func title(r *record.Record) string {
	t := r.Run.Rig + " " + string(r.Run.Verdict)
	if asked := wording.Selection(r.Run.Selection); asked != "" {
		t += ", " + asked
	}
	return t
}

// anchors are where the page tells more of a verdict.
var anchors = map[record.Verdict]string{
	record.Fail: "look", record.Error: "look", record.Warn: "look",
	record.NotRun: "not-run", record.NotApplicable: "not-applicable", record.Pass: "matrix",
}

// selftest is the verdict on the suites themselves: of a device whose fault is
// known, a failure is as it should be.
func selftest(t *record.Selftest) string {
	sound, caught, judged := 0, 0, len(t.Faults)
	for _, s := range t.Sound {
		if s.Verdict == record.Pass {
			sound++
		}
	}
	for _, f := range t.Faults {
		switch f.Verdict {
		case record.Pass:
			caught++
		case record.NotApplicable:
			judged--
		}
	}
	text := fmt.Sprintf("%d of %d faulty firmwares were caught", caught, judged)
	if len(t.Sound) > 0 {
		text += fmt.Sprintf(", and sound firmware passed at %d of %d paces", sound, len(t.Sound))
	}
	if len(t.Unproven) > 0 {
		text += "; no fault turned " + strings.Join(t.Unproven, ", ") + " red"
	}
	return text + "."
}

// number prints a value, or what a limit points at.
func number(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', significant(v), 64)
	case *float64:
		return number(*v)
	}
	return fmt.Sprint(v)
}

// significant digits of a value: three, and all that are before its point.
func significant(v float64) int {
	n := 3
	for v = math.Abs(v); v >= 1000; v /= 10 {
		n++
	}
	return n
}

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// summary is what a person reads last: counts, every failure with what to look
// at, and where the reports are. The last line is the path of the best report.
func (a *app) summary(dir string, r *record.Record, reports []string) {
	ink := palette(lively(a.out))
	fmt.Fprintln(a.out)
	a.failures(dir, r, ink)
	a.wholeDevices(r, ink)
	a.leftOut(r, ink)
	fmt.Fprintf(a.out, "%s  %s on %s in %s\n", verdictLine(r, ink), counts(r), wording.Devices(r), took(r.Run))
	fmt.Fprint(a.out, wrap(wording.Sentence(r), "", widthOf(a.out)))
	if len(reports) == 0 {
		reports = []string{filepath.Join(dir, record.RecordFile)}
	}
	for _, p := range reports {
		fmt.Fprintln(a.out, shortPath(p))
	}
}

// boardsNamed is how many boards are named that have one thing.
const boardsNamed = 6

// failures tells each failure and each warning, once for all the boards that
// have it, with the evidence of the first.
func (a *app) failures(dir string, r *record.Record, ink palette) {
	for _, v := range []record.Verdict{record.Fail, record.Error, record.Warn} {
		for _, on := range wording.Alike(r, v) {
			s, where := on[0].Spec, ""
			if len(r.Devices) > 1 {
				where = " on " + wording.Boards(on, boardsNamed)
			}
			fmt.Fprintf(a.out, "%s %s%s%s\n", ink.verdict(v), ink.paint(bold, s.ID), where, ink.paint(dim, class(s.Class)))
			a.diagnosis(dir, on[0].Device, s, ink)
			fmt.Fprintln(a.out)
		}
	}
}

// wholeDevices tells what is wrong with devices beside their specs: they could
// not be given back what they had before the run.
func (a *app) wholeDevices(r *record.Record, ink palette) {
	for _, b := range wording.AsAWhole(r) {
		v := record.Error
		if b.Class == record.ClassDevice {
			v = record.Fail
		}
		fmt.Fprintf(a.out, "%s %s%s\n%s\n", ink.verdict(v), ink.paint(bold, "device "+wording.Some(b.Names, boardsNamed)), ink.paint(dim, class(b.Class)),
			wrap(wording.Clip(oneLine(b.Cause), 400), "  ", widthOf(a.out)))
	}
}

func class(c record.Class) string {
	if c == "" || c == record.ClassDevice {
		return ""
	}
	return " (" + string(c) + ")"
}

// leftOut tells why specs have no verdict, each cause once, as it was told
// first.
func (a *app) leftOut(r *record.Record, ink palette) {
	lacking := wording.Without(r, record.NotRun)
	for _, l := range lacking {
		each := ""
		if len(l.Names) > 1 {
			each = " each"
		}
		fmt.Fprintf(a.out, "%s %s%s on %s\n%s", ink.verdict(record.NotRun), wording.Plural(len(l.Specs), "spec"), each, wording.Some(l.Names, boardsNamed),
			wrap(wording.Clip(oneLine(l.Cause), 400), "  ", widthOf(a.out)))
	}
	if len(lacking) > 0 {
		fmt.Fprintln(a.out)
	}
}

// order of the counts.
var counted = []record.Verdict{record.Pass, record.Warn, record.Fail, record.Error, record.NotRun, record.NotApplicable}

func counts(r *record.Record) string {
	n := r.Count()
	var parts []string
	for _, v := range counted {
		if n[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[v], look[v].word))
		}
	}
	flaky := 0
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			if s.Flaky {
				flaky++
			}
		}
	}
	if flaky > 0 {
		parts = append(parts, fmt.Sprintf("%d flaky", flaky))
	}
	return strings.Join(parts, ", ")
}

// verdictLine is the run in a word.
func verdictLine(r *record.Record, ink palette) string {
	word, s := strings.ToUpper(string(r.Run.Verdict)), look[r.Run.Verdict].style
	switch {
	case r.Run.Interrupted:
		word += ", INTERRUPTED"
	case r.Run.TimedOut:
		word += ", TIME OVER"
	}
	return ink.paint(s, ink.boldly(word))
}

func (p palette) boldly(s string) string {
	if !p {
		return s
	}
	return "\x1b[1m" + s
}

func took(r record.Run) string {
	d := r.Ended.Sub(r.Started)
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// shortPath is a path as one would type it from here.
func shortPath(p string) string {
	wd, err := os.Getwd()
	if err != nil {
		return p
	}
	rel, err := filepath.Rel(wd, p)
	if err != nil || slices.Contains(strings.Split(rel, string(filepath.Separator)), "..") {
		return p
	}
	return rel
}

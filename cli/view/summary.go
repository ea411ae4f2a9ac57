package view

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
)

// Summary is what a person reads last: counts, every failure with what to look
// at, and where the reports are. The last line is the path of the best report.
func Summary(w io.Writer, dir string, r *record.Record, reports []string) {
	m := summary{w: w, ink: terminal.PaletteOf(w), width: terminal.Width(w)}
	fmt.Fprintln(w)
	m.failures(dir, r)
	m.wholeDevices(r)
	m.leftOut(r)
	if devices := wording.Soundness(r); devices != "" {
		fmt.Fprint(w, terminal.Wrap(devices, "", m.width))
	}
	fmt.Fprintf(w, "%s  %s on %s in %s\n", verdictLine(r, m.ink), counts(r), wording.Devices(r), Took(r.Run))
	fmt.Fprint(w, terminal.Wrap(wording.Sentence(r), "", m.width))
	if len(reports) == 0 {
		reports = []string{filepath.Join(dir, record.RecordFile)}
	}
	for _, p := range reports {
		fmt.Fprintln(w, terminal.Path(p))
	}
}

// summary is where it goes, and how that is to be written.
type summary struct {
	w     io.Writer
	ink   terminal.Palette
	width int
}

// boardsNamed is how many boards are named that have one thing.
const boardsNamed = 6

// failures tells each failure and each warning, once for all the boards that
// have it, with the evidence of the first.
func (m summary) failures(dir string, r *record.Record) {
	for _, v := range []record.Verdict{record.Fail, record.Error, record.Warn} {
		for _, on := range wording.Alike(r, v) {
			s, where := on[0].Spec, ""
			if len(r.Devices) > 1 {
				where = " on " + wording.Boards(on, boardsNamed)
			}
			fmt.Fprintf(m.w, "%s %s%s%s\n", m.ink.Verdict(v), m.ink.Paint(terminal.Bold, s.ID), where, m.ink.Paint(terminal.Dim, class(s.Class)))
			m.diagnosis(dir, on[0].Device, s)
			fmt.Fprintln(m.w)
		}
	}
}

// wholeDevices tells what is wrong with devices beside their specs: they could
// not be given back what they had before the run.
func (m summary) wholeDevices(r *record.Record) {
	for _, b := range wording.AsAWhole(r) {
		v := record.Error
		if b.Class == record.ClassDevice {
			v = record.Fail
		}
		fmt.Fprintf(m.w, "%s %s%s\n%s\n", m.ink.Verdict(v), m.ink.Paint(terminal.Bold, "device "+wording.Some(b.Names, boardsNamed)), m.ink.Paint(terminal.Dim, class(b.Class)),
			terminal.Wrap(wording.Clip(terminal.OneLine(b.Cause), 400), "  ", m.width))
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
func (m summary) leftOut(r *record.Record) {
	lacking := wording.Without(r, record.NotRun)
	for _, l := range lacking {
		each := ""
		if len(l.Names) > 1 {
			each = " each"
		}
		fmt.Fprintf(m.w, "%s %s%s on %s\n%s", m.ink.Verdict(record.NotRun), wording.Plural(len(l.Specs), "spec"), each, wording.Some(l.Names, boardsNamed),
			terminal.Wrap(wording.Clip(terminal.OneLine(l.Cause), 400), "  ", m.width))
	}
	if len(lacking) > 0 {
		fmt.Fprintln(m.w)
	}
}

// order of the counts.
var counted = []record.Verdict{record.Pass, record.Warn, record.Fail, record.Error, record.NotRun, record.NotApplicable}

func counts(r *record.Record) string {
	n := r.Count()
	var parts []string
	for _, v := range counted {
		if n[v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[v], terminal.Word(v)))
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
func verdictLine(r *record.Record, ink terminal.Palette) string {
	word, s := strings.ToUpper(string(r.Run.Verdict)), terminal.StyleOf(r.Run.Verdict)
	switch {
	case r.Run.Interrupted:
		word += ", INTERRUPTED"
	case r.Run.TimedOut:
		word += ", TIME OVER"
	}
	return ink.Paint(s, ink.Boldly(word))
}

// Took is how long a run took.
func Took(r record.Run) string {
	d := r.Ended.Sub(r.Started)
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

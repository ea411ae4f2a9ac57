package view

import (
	"fmt"
	"io"

	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// lines prints one line for each finished spec.
type lines struct {
	w           io.Writer
	ink         terminal.Palette
	deviceWidth int // 0: one device, not named
	idWidth     int
	textWidth   int // of messages
	same        map[string]*sameCause
}

// sameCause counts specs of a device that did not run for the same cause as
// the one printed last: forty lines that say the same say nothing.
type sameCause struct {
	cause string
	more  int
}

func newLines(w io.Writer, p *runner.Plan, ink terminal.Palette) *lines {
	l := &lines{w: w, ink: ink, idWidth: IDWidth(p.Specs), textWidth: 160, same: map[string]*sameCause{}}
	if entries := p.Entries(); len(entries) > 1 {
		for _, d := range entries {
			l.deviceWidth = max(l.deviceWidth, len(d.Name))
		}
	}
	return l
}

func (l *lines) Event(e record.Event) {
	switch e.Kind {
	case record.KindSpecFinished:
		var s record.SpecResult
		if e.Decode(&s) == nil { // the supervisor has checked it
			l.finished(e.Device, s)
		}
	case runner.KindRunStarted:
		var r record.Run
		if e.Decode(&r) == nil && r.Round > 0 {
			fmt.Fprintf(l.w, "%s\n", l.ink.Paint(terminal.Bold, fmt.Sprintf("round %d of %d", r.Round, r.Rounds)))
		}
	case record.KindFlash:
		fmt.Fprintf(l.w, "%s\n", l.ink.Paint(terminal.Dim, terminal.OneLine(e.Text)))
	case runner.KindRunHalting, runner.KindRunUnseen:
		fmt.Fprintf(l.w, "%s\n", l.ink.Paint(terminal.Yellow, e.Text))
	case runner.KindRunEnded:
		l.flushAll()
	}
}

func (l *lines) finished(device string, s record.SpecResult) {
	if s.Verdict == record.NotRun {
		if at := l.same[device]; at != nil && wording.SameCause(at.cause, s.Cause) {
			at.more++
			return
		}
	}
	l.flush(device)
	if s.Verdict == record.NotRun {
		l.same[device] = &sameCause{cause: s.Cause}
	}
	fmt.Fprintln(l.w, l.line(device, s))
	if text := brief(s); text != "" && s.Verdict != record.NotRun && s.Verdict != record.NotApplicable {
		fmt.Fprintf(l.w, "%s%s\n", l.indent(), wording.Clip(text, l.textWidth))
	}
}

// line is a finished spec: verdict, id, and how long it took or why it did
// not run.
func (l *lines) line(device string, s record.SpecResult) string {
	name := ""
	if l.deviceWidth > 0 {
		name = l.ink.Paint(terminal.Dim, fmt.Sprintf("%-*s", l.deviceWidth, device)) + "  "
	}
	line := fmt.Sprintf("%s%s  %-*s  ", name, l.ink.Verdict(s.Verdict), l.idWidth, s.ID)
	switch s.Verdict {
	case record.NotRun, record.NotApplicable:
		return line + l.ink.Paint(terminal.Dim, wording.Clip(terminal.OneLine(s.Cause), max(20, l.textWidth-l.idWidth-2)))
	}
	line += l.ink.Paint(terminal.Dim, fmt.Sprintf("%7.2f s", s.Seconds))
	if s.Flaky {
		line += l.ink.Paint(terminal.Yellow, fmt.Sprintf("  flaky, passed at attempt %d", len(s.Attempts)))
	}
	return line
}

// indent puts text below a line under the spec's id.
func (l *lines) indent() string {
	n := terminal.VerdictWidth + 2
	if l.deviceWidth > 0 {
		n += l.deviceWidth + 2
	}
	if l.ink {
		n += 2 // the sign
	}
	return fmt.Sprintf("%*s", n, "")
}

// brief is what was seen, where that is known: the spec's id says what was
// expected, and a line of a terminal is short.
func brief(s record.SpecResult) string {
	switch {
	case s.Seen != "" && s.Verdict == record.Fail:
		return "saw " + terminal.OneLine(s.Seen)
	case s.Seen != "" && s.Verdict == record.Warn:
		return terminal.OneLine(s.Seen)
	}
	return reason(s)
}

// reason is why a verdict is not a plain pass, in one line.
func reason(s record.SpecResult) string {
	switch {
	case s.Message != "":
		return terminal.OneLine(s.Message)
	case s.Cause != "":
		return terminal.OneLine(s.Cause)
	case len(s.Warnings) > 0 && s.Verdict == record.Warn:
		return terminal.OneLine(s.Warnings[0])
	}
	return ""
}

func (l *lines) flush(device string) {
	at := l.same[device]
	delete(l.same, device)
	if at == nil || at.more == 0 {
		return
	}
	name := ""
	if l.deviceWidth > 0 {
		name = fmt.Sprintf("%-*s  ", l.deviceWidth, device)
	}
	fmt.Fprintf(l.w, "%s%s  %s\n", name, l.ink.Verdict(record.NotRun), l.ink.Paint(terminal.Dim, fmt.Sprintf("and %d more for the same cause", at.more)))
}

func (l *lines) flushAll() {
	for device := range l.same {
		l.flush(device)
	}
}

func (l *lines) Close() { l.flushAll() }

// IDWidth is that of the longest id.
func IDWidth(specs []fixtures.Spec) int {
	n := 0
	for _, s := range specs {
		n = max(n, len(s.ID))
	}
	return n
}

package view

import (
	"fmt"
	"path/filepath"
	"strings"

	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
)

// diagnosis is what a person needs for the next step: what was expected, what
// was seen, why it matters, what to look at first, and where the evidence is.
// A result that has none of that says what there is in one line.
func (m summary) diagnosis(dir, device string, s record.SpecResult) {
	if s.Expected == "" && s.Look == "" {
		fmt.Fprint(m.w, terminal.Wrap(wording.Clip(reason(s), 400), "  ", m.width))
		return
	}
	for _, part := range [][2]string{
		{"expected", s.Expected}, {"seen", inRounds(s) + s.Seen}, {"why", s.Why}, {"look first", s.Look}, {"evidence", evidence(dir, device, s)},
	} {
		if part[1] != "" {
			fmt.Fprint(m.w, labelled(part[0], wording.Clip(terminal.OneLine(part[1]), 600), m.width, m.ink))
		}
	}
}

const labelWidth = len("look first")

// labelled is text with a word before its first line and its other lines
// below the first.
func labelled(label, text string, width int, ink terminal.Palette) string {
	indent := strings.Repeat(" ", labelWidth+4)
	return "  " + ink.Paint(terminal.Dim, fmt.Sprintf("%-*s", labelWidth, label)) + "  " + strings.TrimPrefix(terminal.Wrap(text, indent, width), indent)
}

// evidence is where the decisive moment is to be found.
func evidence(dir, device string, s record.SpecResult) string {
	if s.At == 0 {
		return ""
	}
	if n := roundOf(s); n > 0 {
		dir = filepath.Join(dir, fmt.Sprintf("round-%02d", n))
	}
	return fmt.Sprintf("%.2f s in %s", s.At, terminal.Path(filepath.Join(dir, "devices", device, "timeline.jsonl")))
}

// roundOf is the round of a repeated run that the sum tells of: the first with
// its verdict. 0: the run was not repeated.
func roundOf(s record.SpecResult) int {
	for _, r := range s.Rounds {
		if r.Verdict == s.Verdict {
			return r.Round
		}
	}
	return 0
}

// inRounds says how many rounds of a repeated run ended so.
func inRounds(s record.SpecResult) string {
	n := 0
	for _, r := range s.Rounds {
		if r.Verdict == s.Verdict {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("in %d of %d rounds: ", n, len(s.Rounds))
}

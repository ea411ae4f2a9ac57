package cli

import (
	"fmt"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// look is how a verdict is shown: a sign at a terminal, a word everywhere.
var look = map[record.Verdict]struct {
	sign, word string
	style      style
}{
	record.Pass:          {"✓", "pass", green},
	record.Warn:          {"!", "warn", yellow},
	record.Fail:          {"✗", "fail", red},
	record.Error:         {"✗", "error", purple},
	record.NotRun:        {"○", "not-run", cyan},
	record.NotApplicable: {"–", "n/a", dim},
}

// verdictWidth fits the longest word.
const verdictWidth = len("not-run")

func (p palette) verdict(v record.Verdict) string {
	l, known := look[v]
	if !known {
		l.word = string(v)
	}
	word := fmt.Sprintf("%-*s", verdictWidth, l.word)
	if p {
		word = l.sign + " " + word
	}
	return p.paint(l.style, word)
}

// oneLine makes text that may be anything one line.
func oneLine(s string) string { return record.Plain(wording.OneLine(s)) }

// wrap breaks text into lines of at most width characters, each begun with
// indent; width 0 is no bound.
func wrap(text, indent string, width int) string {
	text = record.Plain(text)
	room := width - len(indent)
	if width == 0 || room < 20 {
		return indent + text + "\n"
	}
	var b strings.Builder
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > room {
			b.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	b.WriteString(indent + line + "\n")
	return b.String()
}

package terminal

import (
	"fmt"

	"hilrig/record"
)

// look is how a verdict is shown: a sign at a terminal, a word everywhere.
var look = map[record.Verdict]struct {
	sign, word string
	style      Style
}{
	record.Pass:          {"✓", "pass", Green},
	record.Warn:          {"!", "warn", Yellow},
	record.Fail:          {"✗", "fail", Red},
	record.Error:         {"✗", "error", Purple},
	record.NotRun:        {"○", "not-run", Cyan},
	record.NotApplicable: {"–", "n/a", Dim},
}

// VerdictWidth fits the longest word.
const VerdictWidth = len("not-run")

// Verdict is a verdict in its colour, padded to [VerdictWidth]; the sign stands before
// it where there is colour.
func (p Palette) Verdict(v record.Verdict) string {
	l, known := look[v]
	if !known {
		l.word = string(v)
	}
	word := fmt.Sprintf("%-*s", VerdictWidth, l.word)
	if p {
		word = l.sign + " " + word
	}
	return p.Paint(l.style, word)
}

// Word is the word for a verdict; empty: it is none.
func Word(v record.Verdict) string { return look[v].word }

// StyleOf is the style of a verdict.
func StyleOf(v record.Verdict) Style { return look[v].style }

package console

import "bytes"

// answers finds what a device answers to a file: one of a few texts, not as the
// echo of the file. A text that refuses must stand as an answer does; an OK
// counts wherever it is, because it would be believed there. A place that was
// looked at is not looked at again.
type answers struct {
	texts   []string
	refuses int // from this text on they are failure texts
	echo    *echo
	again   []Cursor
}

// newAnswers finds the OK, if it is not empty, and failure texts.
func newAnswers(from Cursor, e *echo, ok string, failed ...string) *answers {
	a := &answers{echo: e}
	for i, t := range append([]string{ok}, failed...) {
		if t != "" {
			a.texts = append(a.texts, t)
			a.again = append(a.again, from)
		}
		if i == 0 {
			a.refuses = len(a.texts)
		}
	}
	return a
}

// passed leaves out a match that was found, so that the next is looked for.
func (a *answers) passed(m Match) { a.again[m.Which] = max(a.again[m.Which], m.End) }

// stands reports whether a failure text is an answer and not a word in another
// line: nothing is before it in its line but what was sent, and it is a whole
// word. A modem's "+CME ERROR" and a counter "ERRORS=0" are none.
func (a *answers) stands(now received, start, end int) bool {
	line := now.b[bytes.LastIndexAny(now.b[:start], "\r\n")+1 : start]
	line = escapes.ReplaceAll(line, nil)
	line = line[bytes.LastIndexByte(line, terminator)+1:]
	line = bytes.TrimSuffix(line, []byte(a.echo.command))
	if bytes.ContainsFunc(line, func(r rune) bool { return wordRune(r) || r == '+' }) {
		return false
	}
	if end == len(now.b) || !wordRune(rune(now.b[end-1])) {
		return true // what follows is still to come, or does not matter
	}
	next := rune(now.b[end])
	return !wordRune(next) && next != '=' || next >= '0' && next <= '9'
}

func wordRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
}

// skipTo leaves out what was received before a place.
func (a *answers) skipTo(c Cursor) {
	for i := range a.again {
		a.again[i] = max(a.again[i], c)
	}
}

// next is the answer that ends first in what there is.
func (a *answers) next(now received) (Match, bool) {
	best := Match{Which: -1}
	for i, text := range a.texts {
		m, ok := a.find(now, i, text)
		if ok && (best.Which < 0 || m.End < best.End) {
			best = m
		}
	}
	return best, best.Which >= 0
}

func (a *answers) find(now received, which int, text string) (Match, bool) {
	for {
		at := int(min(max(a.again[which]-now.base, 0), Cursor(len(now.b))))
		i := bytes.Index(now.b[at:], []byte(text))
		if i < 0 {
			a.again[which] = now.base + Cursor(max(at, len(now.b)-len(text)+1))
			return Match{}, false
		}
		start, end := at+i, at+i+len(text)
		if !a.echo.is(now.b[:start], text) && (which < a.refuses || a.stands(now, start, end)) {
			a.again[which] = now.base + Cursor(start)
			return Match{Which: which, Start: now.base + Cursor(start), End: now.base + Cursor(end), Text: text}, true
		}
		a.again[which] = now.base + Cursor(end)
	}
}

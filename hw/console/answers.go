package console

import "bytes"

// answers finds what a device answers to a file: one of a few texts, not as the
// echo of the file. A place that was looked at is not looked at again.
type answers struct {
	texts []string
	echo  *echo
	again []Cursor
}

func newAnswers(from Cursor, e *echo, texts ...string) *answers {
	a := &answers{echo: e}
	for _, t := range texts {
		if t != "" {
			a.texts = append(a.texts, t)
			a.again = append(a.again, from)
		}
	}
	return a
}

// skipTo leaves out what was received before a place.
func (a *answers) skipTo(c Cursor) {
	for i := range a.again {
		a.again[i] = max(a.again[i], c)
	}
}

// next is the answer that ends first in what there is.
func (a *answers) next(now look) (Match, bool) {
	best := Match{Which: -1}
	for i, text := range a.texts {
		m, ok := a.find(now, i, text)
		if ok && (best.Which < 0 || m.End < best.End) {
			best = m
		}
	}
	return best, best.Which >= 0
}

func (a *answers) find(now look, which int, text string) (Match, bool) {
	for {
		at := int(min(max(a.again[which]-now.base, 0), Cursor(len(now.b))))
		i := bytes.Index(now.b[at:], []byte(text))
		if i < 0 {
			a.again[which] = now.base + Cursor(max(at, len(now.b)-len(text)+1))
			return Match{}, false
		}
		start, end := at+i, at+i+len(text)
		if !a.echo.is(now.b[:start], text) {
			a.again[which] = now.base + Cursor(start)
			return Match{Which: which, Start: now.base + Cursor(start), End: now.base + Cursor(end), Text: text}, true
		}
		a.again[which] = now.base + Cursor(end)
	}
}

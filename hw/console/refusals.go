package console

import (
	"bytes"
	"time"
)

// refusals are failure texts that a device has said in a transfer. Not each is
// an answer: a modem speaks out of turn.
type refusals []refusal

type refusal struct {
	Match
	sent int // bytes of the file before it
}

func (r *refusals) add(m Match, sent int) { *r = append(*r, refusal{m, sent}) }

func (r refusals) last() Match { return r[len(r)-1].Match }

// leastRefusals are needed to tell a device that answers each line from one
// that said so once.
const leastRefusals = 4

// each reports whether the device has answered nearly every line of the file
// since the first failure text with another: then it is at its prompt, and takes
// them for commands.
func (r refusals) each(data []byte, sent int) bool {
	if len(r) < leastRefusals {
		return false
	}
	lines := bytes.Count(data[min(r[0].sent, sent):sent], []byte("\n"))
	return 5*(len(r)-1) >= 4*lines
}

// standing is the last failure text, from a place on, that is still an answer
// now that more has come behind it; the rest of its line says why, and is there
// by now.
func (t *transfer) standing(from Cursor) (Match, bool) {
	now := t.c.receivedFrom(t.l, t.mark)
	for i := len(t.refused) - 1; i >= 0; i-- {
		m := t.refused[i].Match
		if m.Start >= max(from, now.base) && !t.beforeCommand(now, m) && t.answers.stands(now, int(m.Start-now.base), int(m.End-now.base)) {
			return m, true
		}
	}
	return Match{}, false
}

// beforeCommand reports whether a failure text came before the echo of the
// command: then it is the answer to what was sent before, however late.
func (t *transfer) beforeCommand(now received, m Match) bool {
	behind := now.b[max(m.End-now.base, 0):]
	for _, line := range bytes.FieldsFunc(behind, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if bytes.HasPrefix(escapes.ReplaceAll(line, nil), []byte(t.command)) {
			return true
		}
	}
	return false
}

// direct reports whether no line but an echo of what was sent is between a
// place and a text.
func (t *transfer) direct(from Cursor, m Match) bool {
	if m.Start < from {
		return false
	}
	now := t.c.receivedFrom(t.l, t.mark)
	b := now.b[:max(m.Start-now.base, 0)]
	b = b[:bytes.LastIndexAny(b, "\r\n")+1] // what is before it in its own line is judged
	b = b[bytes.LastIndexAny(b[:min(max(from-now.base, 0), Cursor(len(b)))], "\r\n")+1:]
	return t.foreign(b) == 0
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

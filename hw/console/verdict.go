package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// awaitAnswer waits for the device's word on the file. A failure text is
// believed when no OK has followed in time: soon, where it is the first thing
// said behind the `*`; else in the type's.
func (t *transfer) awaitAnswer(ctx context.Context) error {
	set := t.c.set
	last := t.r.Last.Add(set.OKWithin)
	for until := last; ; {
		err := t.c.until(ctx, t.l, until, func(now received) error {
			m, word := t.nextWord(now)
			switch word {
			case noWord:
				return nil
			case wordRefusal:
				return errRefusal
			}
			if t.r.Answered.Before(t.star) || t.starAfter(ctx, now, m) {
				return t.fault("load", fmt.Errorf("%w: before the `*`", ErrPremature))
			}
			return errFound
		})
		switch {
		case errors.Is(err, errFound):
			t.correctLast()
			t.c.okIn = max(t.c.okIn, t.r.Answered.Sub(t.r.Last), time.Nanosecond)
			return nil
		case errors.Is(err, errRefusal):
			if t.direct(t.atStar, t.refused.last()) {
				until = earlier(last, t.c.now().Add(t.settles()))
			}
			continue
		case err != nil:
			return err
		}
		if m, ok := t.standing(t.atStar); ok {
			t.answered()
			t.readEcho(ctx)
			return t.refuse(m, "load")
		}
		if until.Before(last) {
			until = last
			continue
		}
		if m, ok := t.standing(0); ok { // in the middle of the file, and nothing since
			t.readEcho(ctx)
			return t.refuse(m, "load")
		}
		t.readEcho(ctx)
		return t.noAnswer()
	}
}

// word is what a device has said on a file.
type word int

const (
	noWord word = iota
	wordOK
	wordRefusal // not believed yet
)

// nextWord is the device's next word in what has come. An OK is noted as the answer,
// a failure text with what had been sent before it.
func (t *transfer) nextWord(now received) (Match, word) {
	t.seeEcho(now)
	m, ok := t.answers.next(now)
	switch {
	case !ok:
		return m, noWord
	case m.Which >= t.answers.refuses:
		t.answers.passed(m)
		t.refused.add(m, t.r.Bytes)
		return m, wordRefusal
	}
	t.r.Answer, t.r.Answered, t.okEnd = m.Text, t.c.arrival(m.End), m.End
	return m, wordOK
}

func (t *transfer) noAnswer() error {
	return t.fault("wait for "+t.c.set.OK+" of", fmt.Errorf("%w within %s of the `*`", ErrNoAnswer, t.c.set.OKWithin))
}

// Bounds of how long an OK may follow a failure text that is the first thing
// behind the `*`.
const (
	leastSettle = 100 * time.Millisecond
	firstSettle = 3 * time.Second // where no OK was seen yet
)

// settles is how long that is for this device: a few times what it takes for
// an OK.
func (t *transfer) settles() time.Duration {
	if t.c.okIn == 0 {
		return firstSettle
	}
	return max(4*t.c.okIn, leastSettle)
}

// correctLast puts the end of the file where the device shows that it was: not
// after the answer, on a line that is faster than its rate; and not before the
// echo of the `*`, on a device that is slower. An echo within the lead says
// nothing.
func (t *transfer) correctLast() {
	if t.r.Answered.Before(t.r.Last) {
		t.r.Last = t.r.Answered
		return
	}
	received := t.c.Received(t.mark)
	if i := bytes.IndexByte(received, terminator); i >= 0 && t.echo.complete(received[:i]) {
		if at := t.c.arrival(t.mark + Cursor(i) + 1); at.Sub(t.r.Last) > lead {
			t.r.Last = at
			t.share()
		}
	}
}

// A device that echoes shows in which order it took and said things.
const (
	echoWithin = 50 * time.Millisecond // of an echo behind what was said before it
	lineWithin = 50 * time.Millisecond // of the rest of a line behind its first words
)

// starAfter reports whether the echo of the `*` stands right behind an OK: then
// the OK was said first. It waits for that only where the device is seen to
// echo the file, and no `*` stands before the OK.
func (t *transfer) starAfter(ctx context.Context, now received, m Match) bool {
	before := now.b[min(max(t.mark-now.base, 0), Cursor(len(now.b))) : m.Start-now.base]
	if bytes.IndexByte(before, terminator) >= 0 || !t.echo.complete(before) {
		return false
	}
	behind := func(now received) []byte { return bytes.TrimSpace(now.b[m.End-now.base:]) }
	err := t.c.until(ctx, t.l, t.c.now().Add(echoWithin), func(now received) error {
		if len(behind(now)) > 1 {
			return errFound
		}
		return nil
	})
	b := behind(t.c.receivedFrom(t.l, 0))
	return (err == nil || errors.Is(err, errFound)) && len(b) > 0 && b[0] == terminator && (len(b) == 1 || b[1] != terminator)
}

// refuse is the failure for a declared failure text.
func (t *transfer) refuse(m Match, step string) error {
	t.r.Answer, t.r.Answered = m.Text, t.c.arrival(m.End)
	return t.fault(step, &RefusedError{m.Text})
}

package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// awaitAnswer waits for the device's word on the file.
func (t *transfer) awaitAnswer(ctx context.Context) error {
	set := t.c.set
	err := t.c.until(ctx, t.l, t.r.Last.Add(set.OKWithin), func(now look) error {
		t.seeEcho(now)
		m, ok := t.answers.next(now)
		switch {
		case !ok:
			return nil
		case m.Which > 0:
			return t.refused(ctx, m, "load")
		}
		t.r.Answer, t.r.Answered = m.Text, t.c.arrival(m.End)
		if t.r.Answered.Before(t.star) || t.starAfter(ctx, now, m) {
			return t.fault("load", fmt.Errorf("%w: before the `*`", ErrPremature))
		}
		return errFound
	})
	switch {
	case errors.Is(err, errFound):
		t.correctLast()
		return nil
	case err != nil:
		return err
	}
	return t.fault("wait for "+set.OK+" of", fmt.Errorf("%w within %s of the `*`", ErrNoAnswer, set.OKWithin))
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
func (t *transfer) starAfter(ctx context.Context, now look, m Match) bool {
	before := now.b[min(max(t.mark-now.base, 0), Cursor(len(now.b))) : m.Start-now.base]
	if bytes.IndexByte(before, terminator) >= 0 || !t.echo.complete(before) {
		return false
	}
	behind := func(now look) []byte { return bytes.TrimSpace(now.b[m.End-now.base:]) }
	err := t.c.until(ctx, t.l, t.c.now().Add(echoWithin), func(now look) error {
		if len(behind(now)) > 1 {
			return errFound
		}
		return nil
	})
	b := behind(t.c.look(t.l, 0))
	return (err == nil || errors.Is(err, errFound)) && len(b) > 0 && b[0] == terminator && (len(b) == 1 || b[1] != terminator)
}

// refused is the failure for a declared failure text. The rest of its line says
// why, so it gets a moment to come.
func (t *transfer) refused(ctx context.Context, m Match, step string) error {
	t.r.Answer, t.r.Answered = m.Text, t.c.arrival(m.End)
	err := t.c.until(ctx, t.l, t.c.now().Add(lineWithin), func(now look) error {
		if bytes.IndexByte(now.b[m.End-now.base:], '\n') >= 0 {
			return errFound
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) && ctx.Err() != nil {
		return err
	}
	return t.fault(step, &RefusedError{m.Text})
}

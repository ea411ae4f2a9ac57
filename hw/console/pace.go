package console

import (
	"context"
	"time"
)

// lead is how far what was handed to the line may be ahead of what has left it.
// It is enough that the wire does not fall idle on a busy host, and little
// enough that progress is real and a cancelled transfer stops at once.
const lead = 20 * time.Millisecond

// starLead is the same for the `*`: an OK that is there before the `*` was
// handed over must not be able to be an answer to it. It costs an idle wire
// only when this process gets no turn for so long.
const starLead = 3 * time.Millisecond

// lineModel is a model of the line's sending side: it knows when the bytes handed
// over so far will have left.
type lineModel struct {
	perByte time.Duration // 0: the line has no rate
	now     func() time.Time
	free    time.Time // all has left
}

func newLineModel(baud int, now func() time.Time) lineModel {
	w := lineModel{now: now}
	if baud > 0 {
		w.perByte = 10 * time.Second / time.Duration(baud)
	}
	return w
}

// put says that n bytes were handed over, from the moment began to now. Where
// that took longer than the wire needs, the wire was slower than its rate.
func (w *lineModel) put(n int, began time.Time) {
	if w.free.Before(began) {
		w.free = began
	}
	w.free = w.free.Add(time.Duration(n) * w.perByte)
	if now := w.now(); w.free.Before(now) {
		w.free = now
	}
}

// room is how many bytes may be handed over now, and, if that is too few to be
// worth a write, when it will be enough.
func (w *lineModel) room(left int) (n int, at time.Time) {
	if w.perByte == 0 {
		return min(left, 1024), time.Time{}
	}
	ahead := max(0, w.free.Sub(w.now()))
	full := max(1, int(lead/w.perByte))
	n = min(left, full-int((ahead+w.perByte-1)/w.perByte))
	if least := min(left, max(1, full/4)); n < least {
		return 0, w.free.Add(-time.Duration(full-least) * w.perByte)
	}
	return n, time.Time{}
}

// send sends bytes at the line's pace, in the type's chunks if it has any.
// After each write it calls sent with how many that were. While it waits it
// calls watch, if there is one, when something was received; an error of watch
// ends it.
func (c *Console) send(ctx context.Context, l *link, b []byte, sent func(n int), watch func(received) error) error {
	for len(b) > 0 {
		n, at := c.wire.room(len(b))
		if c.set.Chunk > 0 {
			n = min(n, c.set.Chunk)
		}
		if c.set.ChunkDelay > 0 {
			n, at = min(len(b), c.set.Chunk), c.wire.free.Add(c.set.ChunkDelay)
		}
		if err := c.until(ctx, l, at, watch); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		began := c.now()
		if err := c.write(ctx, l, b[:n]); err != nil {
			return err
		}
		c.wire.put(n, began)
		b = b[n:]
		if sent != nil {
			sent(n)
		}
	}
	return nil
}

// until waits for a moment, and looks at what is received meanwhile. It ends
// with the context, with the line, and with an error of watch.
func (c *Console) until(ctx context.Context, l *link, at time.Time, watch func(received) error) error {
	timer := time.NewTimer(at.Sub(c.now()))
	defer timer.Stop()
	for reached := false; ; {
		now := c.receivedFrom(l, 0)
		if watch != nil {
			if err := watch(now); err != nil {
				return err
			}
		}
		switch {
		case now.err != nil:
			return now.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case reached:
			return nil
		}
		select {
		case <-timer.C:
			reached = true
		case <-now.changed:
		case <-ctx.Done():
		}
	}
}

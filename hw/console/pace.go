package console

import (
	"context"
	"time"
)

// lead is how far the bytes handed to the driver may be ahead of the wire:
// enough that the wire is never idle on a busy host, little enough that
// progress is real and that an answer can be placed before or after the `*`.
const lead = 20 * time.Millisecond

// pace follows the wire: it knows when the byte that is sent next can leave.
type pace struct {
	perByte time.Duration // 10 bits; 0: no line rate
	free    time.Time     // the wire is free again
}

func newPace(baud int) pace {
	if baud <= 0 {
		return pace{}
	}
	return pace{perByte: 10 * time.Second / time.Duration(baud)}
}

// put says that n bytes were handed over now.
func (p *pace) put(n int, now time.Time) {
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(n) * p.perByte)
}

// wait blocks until the wire has caught up to the lead.
func (p *pace) wait(ctx context.Context, lead time.Duration) error {
	d := time.Until(p.free) - lead
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// chunk is how many bytes are handed over at once: about 4 ms of the wire.
func (p *pace) chunk() int {
	if p.perByte == 0 {
		return 1024
	}
	return max(1, int(4*time.Millisecond/p.perByte))
}

// file sends the file and, unless it is to be cut, the `*`. A failure text on
// the way ends it at once.
func (t *transfer) file(ctx context.Context) error {
	payload := t.data
	switch {
	case t.f.StopAfter > 0:
		payload = payload[:min(t.f.StopAfter, len(payload))]
	case !t.f.NoTerminator:
		payload = append(append(make([]byte, 0, len(payload)+1), payload...), '*')
	}
	p := newPace(t.c.set.Baud)
	size, delay := p.chunk(), time.Duration(0)
	if t.c.set.Chunk > 0 {
		size, delay = t.c.set.Chunk, t.c.set.ChunkDelay
	}
	refusals := t.refusals(t.data)
	t.r.First = time.Now()
	for sent := 0; sent < len(payload); {
		n := min(size, len(payload)-sent)
		t.star = time.Now() // of the last chunk: the `*` is in it
		if err := t.c.write(ctx, payload[sent:sent+n]); err != nil {
			return err
		}
		p.put(n, time.Now())
		sent += n
		if t.f.Progress != nil {
			t.f.Progress(sent, len(payload))
		}
		if err := t.refusedOnTheWay(refusals); err != nil {
			return err
		}
		if sent == len(payload) {
			break
		}
		if err := p.wait(ctx, lead); err != nil {
			return err
		}
		if delay > 0 {
			if err := p.wait(ctx, -delay); err != nil {
				return err
			}
		}
	}
	t.finish(p, len(payload))
	if t.f.StopAfter > 0 {
		return p.wait(ctx, 0) // what was handed over is on the wire before the caller goes on
	}
	return nil
}

// finish notes when the last byte leaves the wire. Where the line has no rate,
// all that is known is that it was not sent before now.
func (t *transfer) finish(p pace, bytes int) {
	t.r.Bytes, t.r.Last = bytes, p.free
	t.r.Seconds = t.r.Last.Sub(t.r.First).Seconds()
	if p.perByte > 0 && t.r.Seconds > 0 {
		t.r.LineShare = (time.Duration(bytes) * p.perByte).Seconds() / t.r.Seconds
	}
}

func (t *transfer) refusedOnTheWay(ms []Matcher) error {
	if len(ms) == 0 {
		return nil
	}
	b, at, _, err := t.c.in.after(t.from)
	if err != nil {
		return err
	}
	if m, ok := t.c.in.find(b, at, ms); ok {
		t.r.Answer, t.r.Answered = t.lineAt(m), m.At
		return t.device("send", &RefusedError{t.r.Answer})
	}
	return nil
}

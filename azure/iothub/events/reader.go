package events

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

const (
	waiting     = 64 // events that nobody has taken yet; behind them the endpoint waits
	firstPause  = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// notThere is why nothing of before is seen.
const notThere = "the reader was not there yet"

// Reader reads until it is closed.
type Reader struct {
	inbox
	source *source
	read   map[string]int64 // by partition; of the living session, or of who makes the next one
	stop   context.CancelFunc
}

// Open begins to read. Messages that arrive after it has begun are read; the
// first event says from when on that is. A failure names its cause; see
// [ErrToken] and those beside it.
func Open(ctx context.Context, c Config) (*Reader, error) {
	began := time.Now()
	c, err := c.resolved(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.source()
	if err != nil {
		return nil, err
	}
	r := &Reader{inbox: newInbox(), source: &s, read: map[string]int64{}}
	n, err := s.connect(ctx, r.read)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	r.events <- r.listening(hub.Gap{To: began, Why: notThere}, n)
	reads := time.Now()
	proven, held, err := n.start(running, r.deliver)
	if err == nil {
		err = r.prove(ctx, n, reads, proven, held)
	}
	if err != nil {
		stop()
		n.close()
		return nil, err
	}
	go r.watch(running, n)
	return r, nil
}

// prove waits until the endpoint has shown that it delivers: each partition that
// holds events gives its last again. Where none holds any, only a refusal could
// be waited for; one that comes later is told as a gap.
func (r *Reader) prove(ctx context.Context, n *session, began time.Time, proven <-chan struct{}, held int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if held == 0 {
		proven = n.quiet(ctx, began)
	}
	bound := time.NewTimer(provenWithin)
	defer bound.Stop()
	select {
	case err := <-n.failed:
		return r.source.explain(stepRead, err)
	case <-proven:
		select {
		case err := <-n.failed:
			return r.source.explain(stepRead, err)
		default:
		}
	case <-bound.C:
		r.source.Log.Debug("no event of before was read again", "within", provenWithin)
	case <-ctx.Done():
		return record.NewFailure(record.RigCloud, string(stepRead), r.source.entity+" at "+r.source.namespace, context.Cause(ctx))
	}
	return nil
}

// Close ends it.
func (r *Reader) Close(ctx context.Context) error {
	r.stop()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.RigCloud, "close reader of", r.source.entity, context.Cause(ctx))
	}
}

// watch keeps it reading until ctx ends.
func (r *Reader) watch(ctx context.Context, n *session) {
	defer close(r.done)
	for {
		var err error
		select {
		case err = <-n.failed:
		case <-ctx.Done():
		}
		from := n.wire().lastHeard()
		n.close()
		if ctx.Err() != nil {
			return
		}
		gap := hub.Gap{From: from, Why: r.source.explain(stepRead, err).Error()}
		r.source.Log.Warn("the reader of events is away", "error", gap.Why)
		if r.deliver(ctx, away(gap)) != nil {
			return
		}
		if n = r.comeBack(ctx, gap); n == nil {
			return
		}
	}
}

func away(gap hub.Gap) hub.Event {
	return hub.Event{Kind: hub.KindGap, At: time.Now(), Text: gap.String(), Gap: &gap}
}

// comeBack tries until it is back; nil once ctx has ended. What keeps it away is
// the gap's reason from then on: how it began to be away says less.
func (r *Reader) comeBack(ctx context.Context, gap hub.Gap) *session {
	said := ""
	for pause := firstPause; ; pause = min(2*pause, longestWait) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		n, err := r.source.connect(ctx, r.read)
		if err == nil {
			if err = r.goOn(ctx, n, gap); err == nil {
				return n
			}
			n.close()
		}
		if why := causeOf(err); ctx.Err() == nil && why != said {
			said, gap.Why = why, err.Error()
			r.source.Log.Warn("the reader of events is not back", "error", err)
			if r.deliver(ctx, away(gap)) != nil {
				return nil
			}
		}
	}
}

// goOn reads where the session before has ended. That it reads is said once the
// endpoint has shown that it delivers, and before any message is handed on.
func (r *Reader) goOn(ctx context.Context, n *session, gap hub.Gap) error {
	said, reads := make(chan struct{}), time.Now()
	proven, held, err := n.start(ctx, func(ctx context.Context, e hub.Event) error {
		select {
		case <-said:
			return r.deliver(ctx, e)
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err == nil {
		err = r.prove(ctx, n, reads, proven, held)
	}
	if err != nil {
		return err
	}
	defer close(said)
	gap.To = time.Now()
	return r.deliver(ctx, r.listening(gap, n))
}

// listening says that what arrives is read.
func (r *Reader) listening(gap hub.Gap, n *session) hub.Event {
	return hub.Event{
		Kind: hub.KindListening, At: time.Now(), Gap: &gap,
		Text:      fmt.Sprintf("reads the events of %s at %s: consumer group %s, %d partitions", r.source.entity, r.source.namespace, r.source.Group, len(n.ids)),
		Listening: &hub.Listening{Protocol: "AMQP 1.0", Retain: true},
	}
}

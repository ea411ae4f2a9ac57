package events

import (
	"context"
	"encoding/gob"
	"io"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

// joinWithin bounds the wait for the first word of a relay: it may ask the hub
// where its events are, connect and prove that it reads.
const joinWithin = 2*openWithin + provenWithin + 3*time.Second

// Joined reads what a [Relay] hands on to this process.
type Joined struct {
	inbox
	from io.Closer
	stop context.CancelFunc
}

// Join takes over the process's end of a way, and waits until the relay reads.
// Its failures are the relay's.
func Join(ctx context.Context, from io.ReadCloser) (*Joined, error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	j := &Joined{inbox: newInbox(), from: from, stop: stop}
	first := make(chan letter, 1)
	go j.take(running, gob.NewDecoder(from), first)
	ctx, cancel := context.WithTimeoutCause(ctx, joinWithin, errNoAnswer)
	defer cancel()
	var err error
	select {
	case l, said := <-first:
		if said && l.Failure == nil {
			return j, nil
		}
		if said {
			err = l.Failure.err()
			break
		}
		err = record.NewFailure(record.RigHost, string(stepRead), "events by the run's reader", io.ErrUnexpectedEOF)
	case <-ctx.Done():
		err = record.NewFailure(record.RigCloud, string(stepRead), "events by the run's reader", context.Cause(ctx))
	}
	stop()
	_ = from.Close() // the failure is what counts
	return nil, err
}

// take reads letters until the way ends; the first is shown, if there is one.
func (j *Joined) take(ctx context.Context, all *gob.Decoder, first chan<- letter) {
	defer close(j.done)
	defer close(first)
	for said := false; ; said = true {
		var l letter
		if err := all.Decode(&l); err != nil {
			if !said {
				return
			}
			gap := hub.Gap{From: time.Now(), Why: "the run's reader of events has ended"}
			_ = j.deliver(ctx, hub.Event{Kind: hub.KindGap, At: gap.From, Text: gap.String(), Gap: &gap}) // fails once it is closed
			return
		}
		if !said {
			first <- l
		}
		if l.Failure != nil || j.deliver(ctx, l.event()) != nil {
			return
		}
	}
}

// Close ends it.
func (j *Joined) Close(ctx context.Context) error {
	j.stop()
	err := j.from.Close()
	select {
	case <-j.done:
		return err
	case <-ctx.Done():
		return record.NewFailure(record.Harness, "close", "way from the reader of events", context.Cause(ctx))
	}
}

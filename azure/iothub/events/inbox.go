package events

import (
	"context"
	"io"

	"hilrig/azure/hub"
)

// inbox holds what has arrived until somebody takes it.
type inbox struct {
	events chan hub.Event
	done   chan struct{} // nothing more comes
}

func newInbox() inbox {
	return inbox{events: make(chan hub.Event, waiting), done: make(chan struct{})}
}

// deliver hands an event to who reads, and waits as long as nobody does.
func (b inbox) deliver(ctx context.Context, e hub.Event) error {
	select {
	case b.events <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Next is the next event: a message of a device, a gap or its end. Messages of
// one device come in their order. [io.EOF] follows Close.
func (b inbox) Next(ctx context.Context) (hub.Event, error) {
	select {
	case e := <-b.events:
		return e, nil
	default:
	}
	select {
	case e := <-b.events:
		return e, nil
	case <-b.done:
		return hub.Event{}, io.EOF
	case <-ctx.Done():
		return hub.Event{}, context.Cause(ctx)
	}
}

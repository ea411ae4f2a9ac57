package iothub

import (
	"context"
	"fmt"
	"sync"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/devicebound"
	"hilrig/record"
)

// bound sends messages to a device, and hears what becomes of them from before
// the first one on.
type bound struct {
	client *devicebound.Client

	mu     sync.Mutex
	became map[string]devicebound.Feedback // by message id
	more   chan struct{}                   // closed when there is more
	ended  error                           // why nothing is heard any more; nil: it is, or nobody listened yet
	over   chan struct{}                   // closed once nothing is heard; nil: nobody listened yet
}

func newBound(c devicebound.Config) *bound {
	c.Feedback = true
	return &bound{client: devicebound.New(c), became: map[string]devicebound.Feedback{}, more: make(chan struct{})}
}

// listen has feedback heard until running ends, if it is not yet.
func (b *bound) listen(ctx, running context.Context) error {
	b.mu.Lock()
	if b.over != nil && b.ended == nil {
		b.mu.Unlock()
		return nil
	}
	over, ready := make(chan struct{}), make(chan struct{})
	b.over, b.ended = over, nil
	b.mu.Unlock()
	go func() {
		defer close(over)
		err := b.client.FollowFeedback(running, func() { close(ready) }, b.heard)
		if err == nil {
			err = context.Cause(running)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ended = err
		b.wake()
	}()
	select {
	case <-ready:
		return nil
	case <-over:
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.ended
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *bound) heard(f devicebound.Feedback) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.became[f.DeviceID+" "+f.MessageID] = f
	b.wake()
}

// wake tells who waits. With mu held.
func (b *bound) wake() {
	close(b.more)
	b.more = make(chan struct{})
}

// await waits for what became of a message.
func (b *bound) await(ctx context.Context, id, message string) (devicebound.Feedback, error) {
	for {
		b.mu.Lock()
		f, told := b.became[id+" "+message]
		more, ended := b.more, b.ended
		b.mu.Unlock()
		switch {
		case told:
			return f, nil
		case ended != nil:
			return f, ended
		}
		select {
		case <-more:
		case <-ctx.Done():
			return f, context.Cause(ctx)
		}
	}
}

// close ends it, once what it ran by has ended.
func (b *bound) close(ctx context.Context) error {
	b.mu.Lock()
	over := b.over
	b.mu.Unlock()
	if over != nil {
		select {
		case <-over:
		case <-ctx.Done():
			return record.NewFailure(record.Harness, "close", "reader of feedback", context.Cause(ctx))
		}
	}
	return b.client.Close(ctx)
}

// SendToDevice sends a message and returns once the hub has it.
func (r registering) SendToDevice(id string, m hub.DeviceBound) error {
	if r.bound == nil {
		return hub.Lacking{Letter: hub.Speaks}
	}
	ctx, cancel := context.WithTimeoutCause(r.running, serviceWithin, fmt.Errorf("no answer within %s", serviceWithin))
	defer cancel()
	err := r.bound.listen(ctx, r.running)
	if err == nil {
		err = r.bound.client.Send(ctx, id, m)
	}
	if err == nil {
		r.events.Add(hub.Event{Kind: hub.KindDeviceBound, DeviceID: id, Text: fmt.Sprintf("message %s of %d bytes to the device", m.ID, len(m.Payload))})
	}
	return inTier(err)
}

// Became is what the hub says of a message to the device: whether the device has
// taken it, and else why it has not.
func (r registering) Became(ctx context.Context, id, message string) (taken bool, why string, err error) {
	if r.bound == nil {
		return false, "", hub.Lacking{Letter: hub.Speaks}
	}
	f, err := r.bound.await(ctx, id, message)
	if err != nil {
		return false, "", err
	}
	why = f.Status
	if f.Text != "" && f.Text != f.Status {
		why += ": " + f.Text
	}
	r.events.Add(hub.Event{Kind: hub.KindCompleted, DeviceID: id, Text: "message " + message + ": " + why})
	return f.Delivered(), why, nil
}

// Purge takes back what waits for the device.
func (r registering) Purge(id string) int {
	s, err := r.service()
	if err != nil || r.bound == nil {
		return 0
	}
	ctx, cancel := context.WithTimeoutCause(r.running, serviceWithin, fmt.Errorf("no answer within %s", serviceWithin))
	defer cancel()
	n, err := s.Purge(ctx, id)
	if err != nil {
		r.cloud.log.Warn("what waits for the device is not taken back", "device", id, "error", err)
	}
	return n
}

package runner

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/record"
)

// KindRunUnseen says that whoever shows the run was so far behind that events
// were not shown to it; Text says how many. events.jsonl has them all.
const KindRunUnseen = "run.unseen"

// maxUnseen bounds in bytes what waits for an observer that is behind.
const maxUnseen = 32 << 20

// How long an observer may take over one event when the run is over, before
// what is left is given up.
const (
	patience      = 2 * time.Second
	twicePatience = 200 * time.Millisecond // after a second interrupt
)

// audience hands events to an observer, one after another, from a queue of its
// own: an observer that is slow, or hangs, holds nobody up.
type audience struct {
	show func(record.Event)
	now  func(record.Event) record.Event // dates an event of our own

	mu     sync.Mutex
	queue  []record.Event
	size   int
	lost   int
	closed bool

	wake  chan struct{} // one place
	shown atomic.Int64
	done  chan struct{}
}

func startAudience(show func(record.Event), now func(record.Event) record.Event) *audience {
	a := &audience{show: show, now: now, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if show == nil {
		a.closed = true
		close(a.done)
	}
	return a
}

// add queues an event, and drops it where too many wait. It does not wait.
func (a *audience) add(e record.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	size := 200 + len(e.Text) + len(e.Data)
	switch {
	case a.closed:
		return
	case a.size+size > maxUnseen:
		a.lost++
	default:
		a.queue, a.size = append(a.queue, e), a.size+size
	}
	a.nudge()
}

func (a *audience) nudge() {
	select {
	case a.wake <- struct{}{}:
	default: // it is going to look
	}
}

// serve shows what is queued, until the run is over.
func (a *audience) serve() {
	defer close(a.done)
	for range a.wake {
		a.mu.Lock()
		events, lost, over := a.queue, a.lost, a.closed
		a.queue, a.size, a.lost = nil, 0, 0
		a.mu.Unlock()
		for _, e := range events {
			a.show(e)
			a.shown.Add(1)
		}
		if lost > 0 {
			a.show(a.now(record.Event{Source: record.SourceRun, Kind: KindRunUnseen,
				Text: fmt.Sprintf("%d events were not shown: whoever shows them is behind; events.jsonl has them", lost)}))
			a.shown.Add(1)
		}
		if over {
			return
		}
	}
}

// end waits until everything is shown, or until nothing was for a while, and
// reports whether all was.
func (a *audience) end(patience time.Duration) bool {
	a.mu.Lock()
	if a.closed { // nobody looks, or it is over already
		a.mu.Unlock()
		return true
	}
	a.closed = true
	a.nudge()
	a.mu.Unlock()
	for last := a.shown.Load(); ; {
		select {
		case <-a.done:
			return true
		case <-time.After(patience):
		}
		now := a.shown.Load()
		if now == last {
			return false
		}
		last = now
	}
}

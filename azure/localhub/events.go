package localhub

import (
	"context"
	"slices"
	"sync"
	"time"
)

// keepEvents is how many events stay in memory. A soak of a day at a message
// a second has more; its timeline is on disk.
const keepEvents = 100_000

// Events is the record of everything, in the order in which it happened.
type Events struct {
	deliver sync.Mutex // orders watchers

	mu       sync.Mutex
	base     int // Seq of list[0]
	list     []Event
	more     chan struct{} // closed and replaced at every event
	watchers []*watcher
}

type watcher struct{ fn func(Event) }

func newEvents() *Events { return &Events{more: make(chan struct{})} }

// add records e and hands it to the watchers, in order, before it returns: so
// what a device did is known to them before the device is answered.
func (v *Events) add(e Event) {
	v.deliver.Lock()
	defer v.deliver.Unlock()
	if e.At.IsZero() {
		e.At = time.Now()
	}
	v.mu.Lock()
	e.Seq = v.base + len(v.list)
	v.list = append(v.list, e)
	if len(v.list) > keepEvents {
		cut := keepEvents / 10
		n := copy(v.list, v.list[cut:]) // in place: nobody else holds the list
		clear(v.list[n:])
		v.list, v.base = v.list[:n], v.base+cut
	}
	watchers := v.watchers
	close(v.more)
	v.more = make(chan struct{})
	v.mu.Unlock()
	for _, w := range watchers {
		w.fn(e)
	}
}

// Mark is the Seq that the next event will have.
func (v *Events) Mark() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.base + len(v.list)
}

// Since are the events with a Seq of at least from.
func (v *Events) Since(from int) []Event {
	list, _ := v.since(from)
	return list
}

func (v *Events) since(from int) ([]Event, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := min(max(0, from-v.base), len(v.list))
	return slices.Clone(v.list[i:]), v.more
}

// Await waits for the first event from Seq from on that matches. match is
// called once for each event, in order.
func (v *Events) Await(ctx context.Context, from int, match func(Event) bool) (Event, error) {
	for {
		list, more := v.since(from)
		for _, e := range list {
			if match(e) {
				return e, nil
			}
			from = e.Seq + 1
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		}
	}
}

// Watch calls fn for every later event, in order, on the hub's goroutines: fn
// must be quick and must not call the hub.
func (v *Events) Watch(fn func(Event)) (stop func()) {
	w := &watcher{fn}
	v.mu.Lock()
	v.watchers = append(slices.Clone(v.watchers), w)
	v.mu.Unlock()
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.watchers = slices.DeleteFunc(slices.Clone(v.watchers), func(x *watcher) bool { return x == w })
	}
}

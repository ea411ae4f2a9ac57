package hub

import (
	"context"
	"slices"
	"sync"
	"time"
)

// What stays in memory. A soak of a day at a message a second has more; its
// timeline is on disk.
const (
	keepEvents  = 100_000
	keepBytes   = 64 << 20 // unless the hub is told otherwise
	keepPayload = 256      // bytes of each payload, once all together are too much
)

// Events is the record of everything, in the order in which it happened.
type Events struct {
	deliver sync.Mutex // orders watchers
	whose   *attribution

	mu       sync.Mutex
	sessions map[string]Session // living ones, by device id
	gaps     []Gap
	arrivals *arrivals  // nil: the hub shows how sessions begin
	listens  *Listening // as it was last said; nil: nobody did
	base     int        // Seq of list[0]
	list     []Event
	most     int           // bytes
	bytes    int           // of list
	short    int           // Seq of the first whose payload may still be whole
	more     chan struct{} // closed at the next event; nil while nobody waits
	watchers []*watcher
}

type watcher struct{ fn func(Event) }

// NewEvents is an empty record. It is for one device, to which others are
// strangers; an empty id means all that are registered. most bounds what is
// kept, in bytes; 0 is 64 MB.
func NewEvents(device string, most int) *Events {
	if most == 0 {
		most = keepBytes
	}
	return &Events{most: most, sessions: map[string]Session{}, whose: newAttribution(device)}
}

// Front is an empty record for a hub in front of the one whose record v is: for
// the same device, of whom both know the same.
func (v *Events) Front() *Events {
	front := NewEvents(v.whose.device, v.most)
	front.whose.prints = v.whose.prints
	return front
}

// Add records e and hands it to the watchers, in order, before it returns: so
// what a device did is known to them before the device is answered.
func (v *Events) Add(e Event) {
	v.deliver.Lock()
	defer v.deliver.Unlock()
	if e.At.IsZero() {
		e.At = time.Now()
	}
	for _, n := range v.whose.noise(e.At, false) {
		v.record(n)
	}
	before, keep := v.whose.attribute(e, v.Mark())
	for _, b := range before {
		v.record(b)
	}
	if keep {
		if begun, is := v.inferred(&e); is {
			v.record(begun)
		}
		v.record(e)
	}
}

// record keeps e and hands it to the watchers. With deliver held.
func (v *Events) record(e Event) {
	v.mu.Lock()
	e.Seq = v.base + len(v.list)
	v.list = append(v.list, e)
	v.follow(e)
	trimmed := v.bound(e)
	base, watchers := v.base, v.watchers
	if v.more != nil {
		close(v.more)
		v.more = nil
	}
	v.mu.Unlock()
	if trimmed {
		v.whose.forget(base)
	}
	for _, w := range watchers {
		w.fn(e)
	}
}

// Session is a living session as the record has it: from its accepted CONNECT
// on, until the end of its connection.
type Session struct {
	Conn int64
	From int // Seq of its CONNECT
}

// Session is the device's living session. It changes with the record, not
// before and not after: whoever sees its CONNECT finds it here.
func (v *Events) Session(id string) (Session, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, live := v.sessions[id]
	return s, live
}

// follow keeps the living sessions and the gaps. With mu held.
func (v *Events) follow(e Event) {
	switch {
	case e.Gap != nil:
		v.gaps = withGap(v.gaps, *e.Gap)
		if e.Listening != nil {
			v.listens = e.Listening
		}
	case e.Accepted():
		v.sessions[e.DeviceID] = Session{Conn: e.Conn, From: e.Seq}
	case e.Kind == KindDisconnected && v.sessions[e.DeviceID].Conn == e.Conn:
		delete(v.sessions, e.DeviceID)
	}
}

// Tell records at once what is to be told of strangers.
func (v *Events) Tell() {
	v.deliver.Lock()
	defer v.deliver.Unlock()
	for _, n := range v.whose.noise(time.Now(), true) {
		v.record(n)
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
	if v.more == nil {
		v.more = make(chan struct{})
	}
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

// Follow calls fn for every event that the record has and for every later one,
// each once and in order, as [Events.Watch] does.
func (v *Events) Follow(fn func(Event)) (stop func()) {
	v.deliver.Lock() // nothing comes in between
	defer v.deliver.Unlock()
	for _, e := range v.Since(0) {
		fn(e)
	}
	return v.Watch(fn)
}

package hub

import (
	"slices"
	"sync"
)

// Shown is what a hub shows at present.
type Shown struct {
	events   *Events
	concerns func(conn int64, device string) bool

	mu  sync.Mutex
	all []*Shows
}

// NewShown shows nothing yet. Every showing is an event in the record, so that
// a spec can prove that the device met it. concerns reports whether what is
// meant for a device is meant for a connection.
func NewShown(events *Events, concerns func(conn int64, device string) bool) *Shown {
	return &Shown{events: events, concerns: concerns}
}

// Show shows a fault so many times, or until lifted where times is 0.
func (s *Shown) Show(f Fault, times int) *Shows {
	if times <= 0 {
		times = -1
	}
	w := &Shows{Fault: f, set: s, left: times}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(slices.Clone(s.all), w)
	return w
}

// Any reports whether any fault is shown at present.
func (s *Shown) Any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) > 0
}

// To are the faults that are now shown to a connection.
func (s *Shown) To(conn int64) []*Shows {
	s.mu.Lock()
	all := s.all
	s.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(w *Shows) bool { return !s.concerns(conn, w.Device) })
}

// Use finds the first fault now shown that fits, and counts it.
func (s *Shown) Use(conn int64, fits func(Fault) bool) (Fault, bool) {
	for _, w := range s.To(conn) {
		if fits(w.Fault) && w.Met(conn) {
			return w.Fault, true
		}
	}
	return Fault{}, false
}

// Shows is a fault while it is shown. It is a [Showing].
type Shows struct {
	Fault
	set *Shown

	mu    sync.Mutex
	left  int // showings to go; negative: until lifted
	shown int
}

// Lift ends the fault; more than once is no error.
func (w *Shows) Lift() {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.set.all = slices.DeleteFunc(slices.Clone(w.set.all), func(x *Shows) bool { return x == w })
}

// Count is how often it was shown.
func (w *Shows) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shown
}

// Met notes that a connection met it; false where it has been shown often
// enough.
func (w *Shows) Met(conn int64) bool {
	w.mu.Lock()
	if w.left == 0 {
		w.mu.Unlock()
		return false
	}
	if w.left > 0 {
		w.left--
	}
	w.shown++
	last := w.left == 0
	n := w.shown
	w.mu.Unlock()
	if last {
		w.Lift()
	}
	w.set.events.Add(Event{Kind: KindFaultShown, Conn: conn, Fault: w.Name, Text: w.Shown(n)})
	return true
}

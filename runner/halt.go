package runner

import "sync"

// order is how urgently a run is being ended.
type order int

const (
	orderStop order = iota // finish the step, tear down
	orderNow               // tear down now
	orderKill              // be gone
	orders
)

// halt tells every child of a run to end. It only ever becomes more urgent.
type halt struct {
	mu    sync.Mutex
	next  order
	cause string
	given [orders]chan struct{}
}

func newHalt() *halt {
	h := &halt{}
	for i := range h.given {
		h.given[i] = make(chan struct{})
	}
	return h
}

// raise gives an order and every milder one. The first cause stays.
func (h *halt) raise(o order, cause string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cause == "" {
		h.cause = cause
	}
	for ; h.next <= o; h.next++ {
		close(h.given[h.next])
	}
}

// at is closed once the order, or a more urgent one, is given.
func (h *halt) at(o order) <-chan struct{} { return h.given[o] }

// why is the cause; empty as long as the run goes on.
func (h *halt) why() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cause
}

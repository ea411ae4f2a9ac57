package door

import (
	"errors"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"hilrig/azure/hub"
)

// Door is what connections come in by.
type Door struct {
	most   int
	events *hub.Events

	mu     sync.Mutex
	guests map[int64]*guest
	halls  map[netip.Addr]chan struct{}
}

type guest struct {
	from netip.Addr
	c    io.Closer
	out  bool // closed to make room; still counted until it has left
}

// strangersAtOnce is how many handshakes of one stranger's address are worked
// on at a time; the others of it wait.
const strangersAtOnce = 32

// mostSources bounds the addresses that are remembered.
const mostSources = 1024

// New lets in so many connections at once. Who proves itself, and who was shown
// out, is for the record.
func New(most int, events *hub.Events) *Door {
	return &Door{most: most, events: events, guests: map[int64]*guest{}, halls: map[netip.Addr]chan struct{}{}}
}

// Enter lets a connection in; false where there is no room for it.
func (d *Door) Enter(conn int64, from netip.Addr, c io.Closer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside() >= d.most && !d.makeRoom() {
		d.events.Evicted(from, 1)
		return false
	}
	d.guests[conn] = &guest{from: from, c: c}
	return true
}

// inside counts those that were not shown out. With mu held.
func (d *Door) inside() int {
	if len(d.guests) < d.most {
		return len(d.guests)
	}
	n := 0
	for _, g := range d.guests {
		if !g.out {
			n++
		}
	}
	return n
}

// Leave is the end of a connection.
func (d *Door) Leave(conn int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, conn)
}

// Room closes connections for want of something else than their number, such
// as file descriptors.
func (d *Door) Room() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.makeRoom()
}

// makeRoom closes the oldest eighth of those of the address that has most which
// have not proven themselves; false where there are none. With mu held.
func (d *Door) makeRoom() bool {
	of := map[netip.Addr][]int64{}
	for conn, g := range d.guests {
		if !g.out && d.events.Proof(conn) < hub.ProofClientID {
			of[g.from] = append(of[g.from], conn)
		}
	}
	var whose netip.Addr
	for from, conns := range of {
		if len(conns) > len(of[whose]) || len(conns) == len(of[whose]) && slices.Min(conns) < slices.Min(of[whose]) {
			whose = from
		}
	}
	conns := slices.Sorted(slices.Values(of[whose]))
	closed := (len(conns) + 7) / 8
	for _, oldest := range conns[:closed] {
		g := d.guests[oldest]
		g.out = true
		_ = g.c.Close() // its reader notices
	}
	if closed > 0 {
		d.events.Evicted(whose, closed)
	}
	return closed > 0
}

// errNoTurn is a stranger of whom there are too many.
var errNoTurn = errors.New("other connections of this address took too long")

// Turn waits until a stranger's address may have one more handshake worked on,
// as long as it may take; done gives the turn back.
func (d *Door) Turn(closing <-chan struct{}, within time.Duration, from netip.Addr) (done func(), err error) {
	d.mu.Lock()
	hall := d.halls[from]
	if hall == nil {
		if len(d.halls) > mostSources {
			clear(d.halls) // those inside give their turn back to what they took it from
		}
		hall = make(chan struct{}, strangersAtOnce)
		d.halls[from] = hall
	}
	d.mu.Unlock()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case hall <- struct{}{}:
		return func() { <-hall }, nil
	case <-closing:
	case <-late.C:
	}
	return nil, errNoTurn
}

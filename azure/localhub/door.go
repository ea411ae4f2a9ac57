package localhub

import (
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"
)

// door bounds what strangers can take of a hub. Connections that have not
// proven themselves make room for new ones, the oldest of the address that has
// most of them first: so whoever knocks a thousand times keeps out himself.
type door struct {
	most   int
	proven func(conn int64) bool

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

func newDoor(most int, proven func(int64) bool) *door {
	return &door{most: most, proven: proven, guests: map[int64]*guest{}, halls: map[netip.Addr]chan struct{}{}}
}

// enter lets a connection in, and says how many of which address were closed
// for it; not in where none could be.
func (d *door) enter(conn int64, from netip.Addr, c io.Closer) (in bool, closed int, whose netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside() >= d.most {
		if closed, whose = d.makeRoom(); closed == 0 {
			return false, 0, whose
		}
	}
	d.guests[conn] = &guest{from: from, c: c}
	return true, closed, whose
}

// inside counts those that were not shown out. With mu held.
func (d *door) inside() int {
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

func (d *door) leave(conn int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, conn)
}

// room closes connections for want of something else than their number, such
// as file descriptors.
func (d *door) room() (closed int, whose netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.makeRoom()
}

// makeRoom closes the oldest eighth of those of the address that has most which
// have not proven themselves. With mu held.
func (d *door) makeRoom() (closed int, whose netip.Addr) {
	of := map[netip.Addr][]int64{}
	for conn, g := range d.guests {
		if !g.out && !d.proven(conn) {
			of[g.from] = append(of[g.from], conn)
		}
	}
	for from, conns := range of {
		if len(conns) > len(of[whose]) || len(conns) == len(of[whose]) && lowest(conns) < lowest(of[whose]) {
			whose = from
		}
	}
	conns := of[whose]
	for range (len(conns) + 7) / 8 {
		oldest := 0
		for i := range conns {
			if conns[i] < conns[oldest] {
				oldest = i
			}
		}
		g := d.guests[conns[oldest]]
		g.out = true
		_ = g.c.Close() // its reader notices
		conns[oldest] = conns[len(conns)-1]
		conns = conns[:len(conns)-1]
		closed++
	}
	return closed, whose
}

// errNoTurn is a stranger of whom there are too many.
var errNoTurn = errors.New("other connections of this address took too long")

// turn waits until a stranger's address may have one more handshake worked on,
// as long as a handshake may take; done gives the turn back.
func (d *door) turn(closing <-chan struct{}, from netip.Addr) (done func(), err error) {
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
	late := time.NewTimer(handshakeWithin)
	defer late.Stop()
	select {
	case hall <- struct{}{}:
		return func() { <-hall }, nil
	case <-closing:
	case <-late.C:
	}
	return nil, errNoTurn
}

func lowest(conns []int64) int64 {
	low := conns[0]
	for _, c := range conns {
		low = min(low, c)
	}
	return low
}

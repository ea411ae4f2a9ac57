package frontdoor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"hilrig/record"
)

// errNoConn is a message without the connection that it should bring.
var errNoConn = errors.New("no connection came with it")

// waitingAtMost is how many connections wait to be accepted, as a listener's
// backlog does; more are refused.
const waitingAtMost = 128

// Guest is a board's process at its end of the way: it listens where the door
// does, for its own board alone.
type Guest struct {
	way  *net.UnixConn
	addr net.Addr

	mu    sync.Mutex
	open  *listener // nil: connections are refused
	gone  bool      // the door is closed
	stray []Stray   // oldest first
}

// Stray is an address that no board is known to come from, and connections do.
type Stray struct {
	From        netip.Addr
	First, Last time.Time // when this process was told of one
}

// Join takes over the end that [Door.Admit] gave. address is the door's.
func Join(way *os.File, address string) (*Guest, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "read address of the shared port", address, err)
	}
	u, err := asConn(way)
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "take the way from the shared port", address, err)
	}
	g := &Guest{way: u, addr: at}
	go g.serve()
	return g, nil
}

// inherited is the number of the first file that a process is given at its start.
const inherited = 3

// JoinInherited is [Join] for a process that was started with the end as its
// first file. The programs that it starts in turn do not get it.
func JoinInherited(address string) (*Guest, error) {
	return Join(os.NewFile(inherited, "way from the shared port"), address)
}

// Listen takes the board's connections from now on. There is one listener at a
// time, and the address is the door's whatever is asked for.
func (g *Guest) Listen(context.Context, string) (net.Listener, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return nil, record.NewFailure(record.RigHub, "listen on", g.addr.String(), errors.New("the shared port is closed"))
	}
	if g.open != nil {
		return nil, record.NewFailure(record.Harness, "listen on", g.addr.String(), errors.New("this board listens already"))
	}
	g.open = &listener{guest: g, waiting: make(chan net.Conn, waitingAtMost), closed: make(chan struct{})}
	return g.open, nil
}

// Close ends the way: the door refuses the board's connections from then on.
func (g *Guest) Close() error { return g.way.Close() }

// serve passes on what comes until the way ends.
func (g *Guest) serve() {
	for {
		c, stranger, err := take(g.way)
		switch {
		case errors.Is(err, errNoConn):
		case err != nil:
			g.leave()
			return
		case c != nil:
			g.pass(c)
		default:
			g.note(stranger)
		}
	}
}

func (g *Guest) pass(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open != nil {
		select {
		case g.open.waiting <- c:
			return
		default:
		}
	}
	refuse(c)
}

// note keeps where a connection of nobody came from. The door tells of so many
// addresses at most.
func (g *Guest) note(from netip.Addr) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.stray {
		if g.stray[i].From == from {
			g.stray[i].Last = now
			return
		}
	}
	g.stray = append(g.stray, Stray{From: from, First: now, Last: now})
}

// Strays are the addresses from which connections of nobody came since the
// process is at the door: a board that has another source address than its rig
// file says comes from one of them.
func (g *Guest) Strays() []Stray {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.stray)
}

func (g *Guest) leave() {
	g.mu.Lock()
	l := g.open
	g.gone = true
	g.mu.Unlock()
	_ = g.way.Close()
	if l != nil {
		_ = l.Close()
	}
}

// listener is the board's side of the shared port.
type listener struct {
	guest   *Guest
	waiting chan net.Conn
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses what comes, and what waits to be accepted.
func (l *listener) Close() error {
	g := l.guest
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == l {
		g.open = nil
	}
	select {
	case <-l.closed:
		return nil
	default:
		close(l.closed)
	}
	for {
		select {
		case c := <-l.waiting:
			refuse(c)
		default:
			return nil
		}
	}
}

func (l *listener) Addr() net.Addr { return l.guest.addr }

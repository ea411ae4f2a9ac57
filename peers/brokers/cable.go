package brokers

import (
	"net"
	"sync"
	"testing"
)

// Cable is a way to a broker that can be pulled: then nothing gets through, and
// nobody is told. Whoever dials meanwhile is connected and hears nothing, as
// where the first packets are lost.
type Cable struct {
	Address string // localhost:PORT
	Port    string

	mu     sync.Mutex
	moved  *sync.Cond
	pulled bool
	over   bool
	ends   map[net.Conn]bool
}

// NewCable leads to an address until the test ends.
func NewCable(t testing.TB, to string) *Cable {
	t.Helper()
	c := &Cable{Port: freePort(t), ends: map[net.Conn]bool{}}
	c.Address, c.moved = net.JoinHostPort("localhost", c.Port), sync.NewCond(&c.mu)
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", c.Port))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.carry(near, to) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.end()
		running.Wait()
	})
	return c
}

// Pull lets nothing through from now on.
func (c *Cable) Pull() { c.set(true) }

// Plug lets through what waits, and what comes.
func (c *Cable) Plug() { c.set(false) }

func (c *Cable) set(pulled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = pulled
	c.moved.Broadcast()
}

// end closes all that it carries.
func (c *Cable) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for conn := range c.ends {
		_ = conn.Close()
	}
	c.moved.Broadcast()
}

// through waits until the cable lets through; false once the test is over.
func (c *Cable) through() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.pulled && !c.over {
		c.moved.Wait()
	}
	return !c.over
}

// keep has a connection closed at the end; false where that has come.
func (c *Cable) keep(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		_ = conn.Close()
		return false
	}
	c.ends[conn] = true
	return true
}

func (c *Cable) carry(near net.Conn, to string) {
	if !c.keep(near) || !c.through() {
		return
	}
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", to)
	if err != nil || !c.keep(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.copy(far, near) })
	c.copy(near, far)
	both.Wait()
}

func (c *Cable) copy(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil || !c.through() {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

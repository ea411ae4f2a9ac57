package link

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// segment is what a TCP segment holds on Ethernet: what travels at once, and
// what a stall counts.
const segment = 1460

// Conn is the hub's side of a shaped link. It has deadlines, and the addresses
// of the connection that it shapes.
type Conn struct {
	net.Conn          // the hub's end of a pipe
	raw      net.Conn // to the device
	shape    Shape
	began    time.Time
	passed   atomic.Int64  // bytes, of both directions together, where the end is behind so many
	over     chan struct{} // closed with raw
	once     sync.Once

	mu  sync.Mutex
	err error // why the device's bytes ended
}

// New shapes a connection from now on. Closing what it returns closes raw too,
// once what was sent before has arrived.
func New(raw net.Conn, s Shape) *Conn {
	hub, far := net.Pipe()
	c := &Conn{Conn: hub, raw: raw, shape: s, began: time.Now(), over: make(chan struct{})}
	all := s.toxics()
	go c.down(far, all)
	go c.up(far, all)
	if s.Bytes == 0 && s.closes() {
		time.AfterFunc(s.After, c.ends)
	}
	return c
}

// down takes the hub's bytes to the device, and closes behind the last one: the
// end travels as the bytes do. A black hole swallows that too.
func (c *Conn) down(far net.Conn, all []toxics.Toxic) {
	in, out := run(all)
	go func() {
		_ = carry(in, far)
		_ = in.Close()
	}()
	_, err := io.Copy(toDevice{c}, out)
	if err != nil {
		c.close()
		_, _ = io.Copy(io.Discard, out) // a toxic must not wait for ever for a reader
	}
	if !c.shape.swallows(ToDevice) {
		c.close()
	}
}

// up takes the device's bytes to the hub, and then their end.
func (c *Conn) up(far net.Conn, all []toxics.Toxic) {
	in, out := run(all)
	go func() {
		err := carry(in, fromDevice{c})
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		_ = in.Close()
		if !errors.Is(err, io.EOF) || c.shape.End == BlackHole {
			c.close() // nothing goes the other way either any more
		}
	}()
	if _, err := io.Copy(far, out); err != nil {
		_, _ = io.Copy(io.Discard, out)
	}
	_ = far.Close()
}

// carry moves bytes in segments until they end, and returns why they did.
func carry(to io.Writer, from io.Reader) error {
	b := make([]byte, segment)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, werr := to.Write(b[:n]); werr != nil {
				return werr
			}
		}
		if err != nil {
			return err
		}
	}
}

// ends is the end that the shape has.
func (c *Conn) ends() {
	if t, ok := c.raw.(*net.TCPConn); ok && c.shape.End == Reset {
		_ = t.SetLinger(0) // a connection that is gone already needs no reset
	}
	c.close()
}

func (c *Conn) close() {
	c.once.Do(func() {
		_ = c.raw.Close()
		close(c.over)
	})
}

// Over is closed once the device's connection is.
func (c *Conn) Over() <-chan struct{} { return c.over }

// Read gives the end of the device's bytes its own reason, not the pipe's.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil {
			return n, c.err
		}
	}
	return n, err
}

// LocalAddr and RemoteAddr are the shaped connection's.
func (c *Conn) LocalAddr() net.Addr  { return c.raw.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

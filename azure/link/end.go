package link

import (
	"net"
	"time"
)

// swallows reports whether nothing gets through this way behind the end.
func (s Shape) swallows(way Way) bool {
	return s.End == BlackHole && (s.Way == BothWays || s.Way == way)
}

// closes reports whether the end is one of the connection too.
func (s Shape) closes() bool { return s.End == Cut || s.End == Reset }

// pass says how many of n bytes, which are at the device's end of the link, get
// through this way.
func (c *Conn) pass(n int, way Way) int {
	before := n
	switch most := int64(c.shape.Bytes); {
	case most > 0:
		before = max(0, n-int(max(0, c.passed.Add(int64(n))-most)))
	case c.shape.closes(): // by the moment itself
	case time.Since(c.began) >= c.shape.After:
		before = 0
	}
	if c.shape.closes() || c.shape.swallows(way) {
		return before
	}
	return n
}

// toDevice is what the device is sent.
type toDevice struct{ c *Conn }

func (w toDevice) Write(b []byte) (int, error) {
	n := w.c.pass(len(b), ToDevice)
	if n > 0 {
		if n, err := w.c.raw.Write(b[:n]); err != nil {
			return n, err
		}
	}
	if n < len(b) && w.c.shape.closes() {
		w.c.ends()
		return n, net.ErrClosed
	}
	return len(b), nil
}

// fromDevice is what comes of it.
type fromDevice struct{ c *Conn }

func (r fromDevice) Read(b []byte) (int, error) {
	n, err := r.c.raw.Read(b)
	got := r.c.pass(n, ToHub)
	if got < n && r.c.shape.closes() {
		r.c.ends()
		return got, net.ErrClosed
	}
	return got, err
}

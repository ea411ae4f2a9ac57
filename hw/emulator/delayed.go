package emulator

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// segment is the most that travels at once: what a TCP segment holds on
// Ethernet. window is how many of them may be on the way before the sender
// waits, about TCP's 64 kB.
const (
	segment = 1460
	window  = 45
)

// delayed is a connection to a hub that is far away: whatever is sent, either
// way, arrives one way later, in order and at any rate. Nothing of it is the
// operating system's, so that it needs no rights.
type delayed struct {
	net.Conn          // the device's end of a pipe, which has deadlines
	raw      net.Conn // to the hub
	ended    chan struct{}
	err      error // why nothing more comes; once ended is closed
}

// inTransit is what is on the way.
type inTransit struct {
	data []byte
	due  time.Time
}

// delay puts a connection at a distance of oneWay.
func delay(raw net.Conn, oneWay time.Duration) *delayed {
	device, far := net.Pipe()
	f := &delayed{Conn: device, raw: raw, ended: make(chan struct{})}
	go func() {
		f.err = carry(far, raw, oneWay)
		close(f.ended)
		_ = far.Close()
	}()
	go func() {
		_ = carry(raw, far, oneWay) // what was on the way when the device closed arrives
		_ = raw.Close()
	}()
	return f
}

// carry carries bytes until the source ends, and returns why it did.
func carry(to io.Writer, from io.Reader, oneWay time.Duration) error {
	way := make(chan inTransit, window)
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		for t := range way {
			sleepUntil(context.Background(), t.due)
			if to != nil {
				if _, err := to.Write(t.data); err != nil {
					to = nil // nobody is there; the rest is lost
				}
			}
		}
	}()
	for {
		b := make([]byte, segment)
		n, err := from.Read(b)
		if n > 0 {
			way <- inTransit{b[:n], time.Now().Add(oneWay)}
		}
		if err != nil {
			close(way)
			<-arrived
			return err
		}
	}
}

// Read gives the end of the connection its own reason, not the pipe's.
func (f *delayed) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		<-f.ended
		return n, f.err
	}
	return n, err
}

// LocalAddr and RemoteAddr are the real connection's.
func (f *delayed) LocalAddr() net.Addr  { return f.raw.LocalAddr() }
func (f *delayed) RemoteAddr() net.Addr { return f.raw.RemoteAddr() }

package tap

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"hilrig/azure/tlswire"
)

// piece is how many bytes are carried at once while they are read too.
const piece = 4 << 10

// carry takes one direction's bytes to the other side until they end, and their
// end behind them.
func (c *conn) carry(to, from net.Conn, fromDevice bool) {
	err := c.pump(to, from, fromDevice)
	switch {
	case errors.Is(err, errEnded):
		return
	case errors.Is(err, errWrite): // whoever reads from that side learns why
		return
	case c.silent.Load() && !fromDevice: // that does not get through either
		return
	case errors.Is(err, io.EOF):
		c.because(closed(fromDevice), fromDevice)
	default:
		c.because(lost(fromDevice, err), fromDevice)
	}
	if !fromDevice || !errors.Is(err, io.EOF) || c.silent.Load() {
		c.order.Lock()
		c.gone = c.gone || fromDevice
		c.shakeFailed() // before the device learns of it
		c.order.Unlock()
	}
	switch half, can := to.(interface{ CloseWrite() error }); {
	case c.silent.Load():
		if fromDevice { // it has left the hole; nobody else can tell the hub
			_ = to.Close()
		}
	case !errors.Is(err, io.EOF):
		if tcp, ok := to.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset travels as one
		}
		_ = to.Close()
	case can:
		_ = half.CloseWrite() // it may be gone
	default:
		_ = to.Close() // what shapes it sends first what it holds
	}
}

func closed(byDevice bool) string {
	if byDevice {
		return "closed by the device"
	}
	return "closed by the hub"
}

func lost(byDevice bool, err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if byDevice {
		return "connection lost: " + err.Error()
	}
	return "connection to the hub lost: " + err.Error()
}

var (
	errEnded = errors.New("ended by the tap")
	errWrite = errors.New("the other side takes no more")
)

// pump carries bytes until they end, and returns why they did. While a handshake
// goes on they are read on their way; then the kernel carries them.
func (c *conn) pump(to, from net.Conn, fromDevice bool) error {
	b := make([]byte, piece)
	for {
		var err error
		switch {
		case c.silent.Load():
			_ = from.SetReadDeadline(time.Time{})
			_, err = from.Read(b)
		case c.watching.Load():
			var n int
			if n, err = from.Read(b); n > 0 && !c.silent.Load() {
				if err := c.through(to, b[:n], fromDevice); err != nil {
					return err
				}
			}
		default:
			err = c.stream(to, from)
		}
		switch {
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded) && c.silent.Load():
		case errors.Is(err, net.ErrClosed) && c.isEnded():
			return errEnded
		default:
			return err
		}
	}
}

// stream carries bytes that nobody reads. The end of them is io.EOF.
func (c *conn) stream(to, from net.Conn) error {
	_, err := io.Copy(to, from)
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	// The error does not say of which side it is. One that is gone says so again.
	_ = from.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, again := from.Read(make([]byte, 1)); n > 0 || errors.Is(again, os.ErrDeadlineExceeded) {
		return errWrite
	}
	return err
}

// through sends bytes on that were read, and looks at them before: what the
// device did is in the record before it is answered.
func (c *conn) through(to net.Conn, b []byte, fromDevice bool) error {
	n, ends := c.look(b, fromDevice)
	if n > 0 {
		if _, err := to.Write(b[:n]); err != nil && !c.silent.Load() {
			return errWrite
		}
	}
	if ends {
		c.endBy(false)
		return errEnded
	}
	return nil
}

// look takes the next bytes of a direction. It says how many of them go on, and
// whether the connection is to end behind them.
func (c *conn) look(b []byte, fromDevice bool) (n int, ends bool) {
	c.order.Lock()
	defer c.order.Unlock()
	feed := c.o.FromServer
	if fromDevice {
		feed = c.o.FromClient
	}
	n = len(b)
	if c.cutting == nil {
		feed(b)
	}
	for i := 0; c.cutting != nil && i < len(b); i++ {
		feed(b[i : i+1])
		switch w := c.cutting; {
		case !c.reached():
		case !w.Met(c.id): // it has been shown often enough
			c.cutting = nil
			feed(b[i+1:])
		default:
			c.fault = w.Name
			c.decide("cut by the tap", w.Name)
			c.shakeFailed()
			if fromDevice {
				return 0, true
			}
			return i + 1, true
		}
	}
	if !c.shaken && c.o.Over() {
		hs := c.handshake()
		hs.OK = true
		c.shake(hs)
	}
	if !c.shaken && c.o.Lost() {
		c.shakeFailed()
	}
	ends = c.follow(fromDevice)
	if c.shaken && (c.tap.packet || c.session.accepted || c.o.Lost()) {
		c.watching.Store(false)
	}
	return n, ends
}

// reached reports whether the message was seen behind which the connection is
// to be cut. With order held.
func (c *conn) reached() bool {
	return slices.ContainsFunc(c.o.Messages(), func(m tlswire.Message) bool { return m.Type == c.cutting.CutAfter })
}

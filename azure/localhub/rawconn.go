package localhub

import (
	"errors"
	"io"
	"net"
	"time"

	"hilrig/azure/tlswire"
)

// rawConn is a connection under TLS. It shows an observer every raw byte until the
// handshake is over; then it asks before each read that may wait for the device.
type rawConn struct {
	net.Conn
	first []byte            // was read before TLS began
	o     *tlswire.Observer // nil once the handshake is over
	turn  func() error      // nil before
}

func (w *rawConn) Read(b []byte) (n int, err error) {
	switch {
	case len(w.first) > 0:
		n = copy(b, w.first)
		if w.first = w.first[n:]; len(w.first) == 0 {
			w.first = nil
		}
	case w.turn != nil:
		if err := w.turn(); err != nil {
			return 0, err
		}
		return w.Conn.Read(b)
	default:
		n, err = w.Conn.Read(b)
	}
	if n > 0 && w.o != nil {
		w.o.FromClient(b[:n])
	}
	return n, err
}

func (w *rawConn) Write(b []byte) (int, error) {
	if w.o != nil {
		w.o.FromServer(b) // before it is sent: the device's answer must not be seen first
	}
	return w.Conn.Write(b)
}

const (
	tlsHeader  = 5           // bytes in front of a TLS record (RFC 5246 section 6.2)
	tlsLongest = 1<<14 + 256 // of what is waited for of a first record
)

// firstRecord waits for the whole of a connection's first TLS record, so that
// who says nothing, or stops in the middle of it, takes no place among the
// handshakes. What does not begin one is handed on as it came.
func firstRecord(raw net.Conn, within time.Duration) ([]byte, error) {
	_ = raw.SetReadDeadline(time.Now().Add(within))
	defer func() { _ = raw.SetReadDeadline(time.Time{}) }()
	b := make([]byte, 0, 768) // most hellos
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, cap(b))...)[:len(b)]
		}
		n, err := raw.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if wholeRecord(b) || errors.Is(err, io.EOF) && len(b) > 0 {
			return b, nil // what is wrong with it TLS says
		}
		if err != nil {
			return b, err
		}
	}
}

// wholeRecord says whether b need not be waited for any longer.
func wholeRecord(b []byte) bool {
	switch {
	case len(b) == 0:
		return false
	case b[0] != recordHandshake, len(b) > 1 && b[1] != 3:
		return true
	case len(b) < tlsHeader:
		return false
	}
	size := int(b[3])<<8 | int(b[4])
	return size > tlsLongest || len(b) >= tlsHeader+size
}

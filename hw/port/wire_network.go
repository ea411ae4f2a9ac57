package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// How long a server on the network may take to be reached, and to say what it
// is asked when the line is opened.
const (
	dialWithin  = 5 * time.Second
	setUpWithin = 5 * time.Second
)

// openNetwork reaches a line on the network. A raw one has the rate that its
// server gives it.
func openNetwork(ctx context.Context, a address, baud int) (wire, error) {
	d := net.Dialer{
		Timeout:         dialWithin,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	}
	conn, err := d.DialContext(ctx, "tcp", a.String())
	if err != nil {
		return nil, notReached(err)
	}
	raw := &networkWire{conn: conn}
	if a.scheme == schemeRaw {
		return raw, nil
	}
	w, err := openTelnet(ctx, raw, baud)
	if err != nil {
		_ = conn.Close() // the first error counts
		if errors.Is(err, ErrUnplugged) {
			if busy := refusal(ctx, d, a); busy != nil {
				return nil, busy
			}
		}
		return nil, err
	}
	return w, nil
}

// refusalWithin is how long a server may take to say why it hangs up.
const refusalWithin = time.Second

// refusal asks a server that hung up why, by listening alone: what it says to a
// client that speaks may be lost with the connection (RFC 9293 section 3.10.7.4,
// a reset). It is nil where the server gives no reason.
func refusal(ctx context.Context, d net.Dialer, a address) error {
	conn, err := d.DialContext(ctx, "tcp", a.String())
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }() // only read
	w := &networkWire{conn: conn}
	if conn.SetReadDeadline(time.Now().Add(refusalWithin)) != nil {
		return nil
	}
	for err == nil {
		_, err = w.Read(make([]byte, mostHello))
	}
	var busy *BusyError
	if errors.As(err, &busy) {
		return busy
	}
	return nil
}

// notReached puts a failed dial into a few words: the address is the failure's
// subject already.
func notReached(err error) error {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return because(ErrUnreachable, fmt.Errorf("no host of this name: %s", dns.Err))
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &op) && op.Timeout():
		return because(ErrUnreachable, fmt.Errorf("no answer within %s", dialWithin))
	case errors.Is(err, syscall.ECONNREFUSED):
		return because(ErrUnreachable, errors.New("connection refused"))
	case errors.As(err, &op):
		return because(ErrUnreachable, op.Err)
	}
	return because(ErrUnreachable, err)
}

// networkWire is a raw line on the network.
type networkWire struct {
	conn   net.Conn
	closed atomic.Bool
	mu     sync.Mutex
	hello  []byte // the first that was received: a server that is taken says so and hangs up
}

const mostHello = 200

func (w *networkWire) Read(b []byte) (int, error) {
	n, err := w.conn.Read(b)
	w.mu.Lock()
	if len(w.hello) <= mostHello {
		w.hello = append(w.hello, b[:n]...)
	}
	w.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	return 0, w.ended(err)
}

// taken is how a server of ports (ser2net) refuses a second client.
var taken = regexp.MustCompile(`(?i)\b(port|device|already|currently)\b.*\b(in use|busy)\b`)

// ended is why the connection is no more. That it was closed here is told by
// whoever closed it.
func (w *networkWire) ended(err error) error {
	says := w.says()
	switch {
	case w.closed.Load():
		return os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case taken.MatchString(says):
		return &BusyError{Says: says}
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return because(ErrUnplugged, errors.New("its server has closed the connection"))
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return because(ErrUnplugged, err)
}

// says is what the server said, if that was all it said.
func (w *networkWire) says() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.hello) > mostHello {
		return ""
	}
	return strings.Join(strings.Fields(printable(w.hello)), " ")
}

func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return ' '
		}
		return r
	}, string(b))
}

func (w *networkWire) WriteBy(b []byte, deadline time.Time) (int, error) {
	if err := w.conn.SetWriteDeadline(deadline); err != nil {
		return 0, w.ended(err)
	}
	n, err := w.conn.Write(b)
	if err != nil {
		err = w.ended(err)
	}
	return n, err
}

func (w *networkWire) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	return w.conn.Close()
}

package emulator

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// packetConn stands between paho and the TLS connection and sees whole packets: it
// keeps the connection alive, and is where faults put in what paho would never
// do.
type packetConn struct {
	net.Conn
	m    *modem
	from *io.PipeReader // what paho reads
	to   *io.PipeWriter
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	rest    []byte // of a packet that paho is writing
	connect []byte // the CONNECT as it was sent
	lastID  []byte // of the last PUBLISH, for faults
	state   sessionState
}

// sessionState is what pings and patience go by.
type sessionState struct {
	asked, got, sent, pinged time.Time // CONNECT; anything in; anything out; a PINGREQ without an answer
	connack                  time.Time
	assumed                  bool // paho was given a CONNACK that the hub did not send
	keepAlive                time.Duration
	twice                    bool // a fault has done what it does once
}

// edit changes a packet on its way; false swallows it. It is called with the
// connection's lock held.
type edit func(w *packetConn, p *packet) bool

func newPacketConn(c net.Conn, m *modem) *packetConn {
	w := &packetConn{Conn: c, m: m, done: make(chan struct{})}
	w.from, w.to = io.Pipe()
	go w.pump()
	return w
}

// Write takes what paho sends.
func (w *packetConn) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		p, rest, err := cutPacket(w.rest)
		if err != nil {
			return 0, err
		}
		if p == nil {
			return len(b), nil
		}
		w.rest = rest
		w.prepare(p)
		if !w.pass(p, w.m.b.out) {
			continue
		}
		if err := w.send(p); err != nil {
			return 0, err
		}
	}
}

// prepare is what sound firmware does to paho's packets: the keep-alive is ours
// (see ping), and DUP tells the truth.
func (w *packetConn) prepare(p *packet) {
	switch p.kind() {
	case kindConnect:
		w.state.keepAlive = w.m.b.keepAlive(w.m.keepAlive)
		name := 2 + int(binary.BigEndian.Uint16(p.body))
		binary.BigEndian.PutUint16(p.body[name+2:], uint16(w.state.keepAlive/time.Second))
		w.state.asked = time.Now()
		if d := w.m.b.assumesConnack; d > 0 {
			time.AfterFunc(d, w.assume)
		}
	case kindPublish:
		id := p.id()
		if id == nil {
			return
		}
		w.lastID = append([]byte(nil), id...)
		if p.head &^= flagDup; w.m.outbox.goes(binary.BigEndian.Uint16(id)) {
			p.head |= flagDup
		}
	}
}

func (w *packetConn) pass(p *packet, edits []edit) bool {
	for _, e := range edits {
		if !e(w, p) {
			return false
		}
	}
	return true
}

// send puts a packet on the wire; the lock is held.
func (w *packetConn) send(p *packet) error {
	b := p.bytes()
	if p.kind() == kindConnect {
		w.connect = b
	}
	w.state.sent = time.Now()
	_, err := w.Conn.Write(b)
	return err
}

// Read gives paho what the hub sent.
func (w *packetConn) Read(b []byte) (int, error) { return w.from.Read(b) }

// pump reads packets from the hub until the connection ends.
func (w *packetConn) pump() {
	var rest []byte
	buf := make([]byte, 4096)
	for {
		n, err := w.Conn.Read(buf)
		var framing error
		rest, framing = w.deliver(append(rest, buf[:n]...)) // what came with the end too
		if err = cmp.Or(framing, err); err != nil {
			w.fail(err)
			return
		}
	}
}

// deliver gives paho the whole packets of b and returns the rest.
func (w *packetConn) deliver(b []byte) ([]byte, error) {
	for {
		p, rest, err := cutPacket(b)
		if p == nil {
			return rest, err
		}
		b = rest
		if w.got(p) {
			if _, err := w.to.Write(p.bytes()); err != nil {
				return b, err
			}
		}
	}
}

// got notes a packet and reports whether paho is to see it.
func (w *packetConn) got(p *packet) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.got = time.Now()
	switch p.kind() {
	case kindConnack:
		w.state.connack = w.state.got
		if w.state.assumed {
			return false
		}
		if len(p.body) == 2 && p.body[1] == 0 {
			go w.ping(w.state.keepAlive)
		}
	case kindPingresp:
		w.state.pinged = time.Time{}
		return false // paho sent no ping
	}
	return w.pass(p, w.m.b.in)
}

// assume makes paho believe in a CONNACK that has not come.
func (w *packetConn) assume() {
	w.mu.Lock()
	assumed := w.state.connack.IsZero()
	w.state.assumed = assumed
	w.mu.Unlock()
	if assumed {
		_, _ = w.to.Write([]byte{kindConnack << 4, 2, 0, 0}) // a connection that is closed needs none
	}
}

// tooSlow reports whether the hub is further away than a fault can stand.
func (w *packetConn) tooSlow() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	limit := w.m.b.slowLimit
	return limit > 0 && w.state.connack.Sub(w.state.asked) > limit
}

// fail ends the connection with an error that paho is to see.
func (w *packetConn) fail(err error) {
	_ = w.to.CloseWithError(err)
	_ = w.Close()
}

// Close ends the connection, without a good-bye of MQTT's.
func (w *packetConn) Close() error {
	w.once.Do(func() { close(w.done) })
	_ = w.from.CloseWithError(net.ErrClosed)
	err := w.Conn.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

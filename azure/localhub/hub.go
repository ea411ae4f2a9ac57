package localhub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hilrig/azure/hub"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hilrig/azure/door"
	"hilrig/azure/mqttwire"
	"hilrig/azure/tlswire"
	"hilrig/record"
)

// Config says what hub to be.
type Config struct {
	Host          string // the name that devices dial; for messages
	Certificate   tls.Certificate
	Devices       []hub.Device
	BoundLock     time.Duration // of a cloud-to-device message that is not acknowledged; 0 is IoT Hub's minute
	ConnectWithin time.Duration // from TLS to CONNECT; 0 is 60 s, as Edge Hub has it
	UserNameExact string        // empty: each form that IoT Hub takes
	For           string        // id of the one device that the hub is for: others are strangers; empty: it is for all that are registered
	Beside        []string      // client ids of boards that come from the device's own address: each gets a session and is kept quiet
	KeepBytes     int           // of the record in memory; 0 is 64 MB
	Bind          hub.Bind      // nil: a port of its own
	Log           *slog.Logger
}

// Bounds that keep strangers from harming a device under test.
const (
	maxConnections   = 2048
	handshakeWithin  = 30 * time.Second
	connectWithin    = 60 * time.Second
	maxBeforeConnect = 8 << 10 // bytes
)

// Hub is one endpoint. Use New, Listen, Close.
type Hub struct {
	config   Config
	log      *slog.Logger
	tls      *tls.Config
	registry *registry
	events   *hub.Events
	faults   *hub.Shown
	aim      *aim
	sessions *mqttwire.Sessions
	subs     *subscriptions
	twins    *twins
	calls    *calls
	bound    *queues
	outgoing outgoing

	door *door.Door

	next      atomic.Int64
	closing   chan struct{}
	closed    chan struct{} // and nothing is served any more
	closeOnce sync.Once
	running   sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	down     bool // its port is closed for a while
	conns    map[int64]io.Closer
	live     map[string]*conn // sessions by device id
}

// New makes a hub that does not listen yet.
func New(c Config) (*Hub, error) {
	if len(c.Certificate.Certificate) == 0 {
		return nil, record.NewFailure(record.RigHub, "start", "local hub", errors.New("no server certificate"))
	}
	if c.ConnectWithin == 0 {
		c.ConnectWithin = connectWithin
	}
	if c.BoundLock == 0 {
		c.BoundLock = boundLock
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hub{
		config: c, log: c.Log, tls: tlsConfig(c.Certificate), registry: newRegistry(c.Devices), events: hub.NewEvents(c.For, c.KeepBytes), sessions: mqttwire.NewSessions(),
		subs: newSubscriptions(), twins: newTwins(), calls: newCalls(), bound: newQueues(c.BoundLock),
		closing: make(chan struct{}), closed: make(chan struct{}),
		conns: map[int64]io.Closer{}, live: map[string]*conn{},
	}
	h.aim = newAim()
	h.faults = hub.NewShown(h.events, h.aim.concerns)
	for _, d := range c.Devices {
		h.events.Know(d)
	}
	h.events.Beside(c.Beside)
	h.door = door.New(maxConnections, h.events)
	return h, nil
}

// Events is the record of everything.
func (h *Hub) Events() *hub.Events { return h.events }

// Listen binds addr ("127.0.0.1:0" for a free port) and serves until Close.
func (h *Hub) Listen(ctx context.Context, addr string) (net.Addr, error) {
	l, err := h.config.Bind.Listen(ctx, addr)
	if err != nil {
		f := record.NewFailure(record.RigHub, "listen on", addr, reason(err))
		if malformed := (*net.AddrError)(nil); errors.As(err, &malformed) {
			return nil, record.NewFailure(record.Usage, "listen on", addr, malformed).WithCure("HOST:PORT is meant")
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, f.WithCure("the port is taken: another hub or broker? ss -ltnp shows it; or take another: hub_port of the device, --listen of hilrig hub")
		}
		return nil, f
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosing() { // nobody would close this listener
		_ = l.Close()
		return nil, os.ErrClosed
	}
	h.listener = l
	h.running.Go(func() { h.accept(l) })
	return l.Addr(), nil
}

func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func (h *Hub) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			if h.isClosing() || errors.Is(err, net.ErrClosed) {
				return
			}
			h.log.Warn("accept", "error", err)
			h.door.Room()
			select { // out of descriptors: let connections end
			case <-time.After(50 * time.Millisecond):
			case <-h.closing:
				return
			}
			continue
		}
		id := h.next.Add(1)
		if !h.track(id, c) {
			_ = c.Close()
			continue
		}
		h.running.Go(func() { h.serve(id, c) })
	}
}

// track makes a connection known, so that Close reaches it; false where there
// is no room for it or the hub is closing.
func (h *Hub) track(id int64, c net.Conn) bool {
	if !h.door.Enter(id, hub.AddressOf(c.RemoteAddr().String()), c) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosing() || h.down {
		h.door.Leave(id)
		return false
	}
	h.conns[id] = c
	return true
}

func (h *Hub) forget(id int64) {
	h.door.Leave(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, id)
}

func (h *Hub) isClosing() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// serve takes one connection through TLS. From there on it has a goroutine of
// its own: a handshake leaves a stack behind that a session does not need.
func (h *Hub) serve(id int64, raw net.Conn) {
	remote := raw.RemoteAddr().String()
	h.events.Add(hub.Event{Kind: hub.KindAccepted, Conn: id, Remote: remote, Text: "connection from " + remote})
	h.aim.arrives(id, remote)
	stranger := h.events.Stranger(id) // what is shown is shown to the device
	raw, close := h.link(id, raw, stranger)
	end := func() {
		close()
		h.forget(id)
		h.aim.leaves(id)
	}
	c := h.secure(id, raw, stranger)
	if c == nil {
		end()
		return
	}
	h.running.Go(func() {
		defer end()
		c.run()
	})
}

// secure does the handshake; nil where it failed.
func (h *Hub) secure(id int64, raw net.Conn, stranger bool) *conn {
	remote := raw.RemoteAddr().String()
	first, err := firstRecord(raw, handshakeWithin)
	if err != nil {
		hs := &hub.Handshake{Err: "nothing was said: " + reason(err).Error()}
		if len(first) > 0 {
			hs.Err = fmt.Sprintf("stopped behind %d bytes of the first TLS record: %s", len(first), reason(err))
		}
		h.events.Add(hub.Event{Kind: hub.KindHandshake, Conn: id, Remote: remote, Text: hs.Describe(), Handshake: hs})
		h.events.Add(hub.Event{Kind: hub.KindDisconnected, Conn: id, Remote: remote, Text: "silent connection"})
		return nil
	}
	var shown []*hub.Shows
	done := func() {}
	if stranger {
		if done, err = h.door.Turn(h.closing, handshakeWithin, hub.AddressOf(remote)); err != nil {
			h.events.Add(hub.Event{Kind: hub.KindDisconnected, Conn: id, Remote: remote, Text: err.Error()})
			return nil
		}
	} else {
		shown = h.faults.To(id)
	}
	w := &rawConn{Conn: raw, first: first, o: tlswire.NewObserver(nil)}
	t, hs := h.handshake(id, w, shown)
	done()
	h.events.Add(hub.Event{Kind: hub.KindHandshake, Conn: id, Remote: remote, Text: hs.Describe(), Handshake: hs, Fault: hs.Fault})
	if !hs.OK {
		h.events.Add(hub.Event{Kind: hub.KindDisconnected, Conn: id, Remote: remote, Text: "TLS handshake failed", Fault: hs.Fault})
		return nil
	}
	c := newConn(h, id, t, raw, hs)
	w.o, w.turn = nil, c.turn
	return c
}

// Drop cuts the device's living session: TCP closed, no word. It reports
// whether there was one.
func (h *Hub) Drop(id string) bool {
	c := h.living(id)
	if c == nil {
		return false
	}
	c.cut("dropped by the hub", "")
	return true
}

// Close stops listening, cuts every connection and waits for what serves them,
// as long as ctx allows.
func (h *Hub) Close(ctx context.Context) error {
	h.closeOnce.Do(func() {
		close(h.closing)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.listener != nil {
			_ = h.listener.Close()
		}
		for _, c := range h.conns {
			_ = c.Close()
		}
		go func() {
			h.running.Wait()
			h.events.Tell()
			close(h.closed)
		}()
	})
	select {
	case <-h.closed:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.Harness, "close", "local hub", fmt.Errorf("connections still being served: %w", context.Cause(ctx)))
	}
}

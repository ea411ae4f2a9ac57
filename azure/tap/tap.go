package tap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/azure/door"
	"hilrig/azure/hub"
	"hilrig/record"
)

// Bounds of what a connection may take of the tap.
const (
	dialWithin     = 10 * time.Second
	maxConnections = 2048
)

// Tap is a hub with a pass-through in front of it.
type Tap struct {
	inner  hub.Abilities
	device string
	to     string // HOST:PORT
	bind   hub.Bind
	log    *slog.Logger
	events *hub.Events
	shown  *hub.Shown
	door   *door.Door
	packet bool // the hub shows the packets, and with them its sessions

	next      atomic.Int64
	ctx       context.Context // ends when the tap closes
	end       context.CancelFunc
	running   sync.WaitGroup
	closeOnce sync.Once
	closed    chan struct{}

	mu       sync.Mutex
	listener net.Listener
	down     bool    // its port is closed for a while
	gap      hub.Gap // in which no device gets through to the hub; zero: none
	conns    map[int64]*conn
	pairs    pairs
}

func newTap(inner hub.Hub, device, to string, log *slog.Logger) *Tap {
	t := &Tap{
		inner: hub.Of(inner), device: device, to: to, log: log, events: inner.Events().Front(),
		packet: inner.Letters().Has(hub.AllPackets), closed: make(chan struct{}), conns: map[int64]*conn{}, pairs: newPairs(),
	}
	if !t.packet {
		t.events.ByArrivals(true)
	}
	t.door = door.New(maxConnections, t.events)
	t.ctx, t.end = context.WithCancel(context.Background())
	t.shown = hub.NewShown(t.events, func(_ int64, device string) bool { return device == "" || device == t.device })
	context.AfterFunc(t.ctx, inner.Events().Follow(t.heard))
	return t
}

// Events is the record: the hub's, with the handshakes that the tap saw.
func (t *Tap) Events() *hub.Events { return t.events }

// Letters are the hub's with what the tap adds.
func (t *Tap) Letters() hub.Letters { return t.inner.Letters().With(hub.OfTap) }

// Behind is the hub.
func (t *Tap) Behind() hub.Hub { return t.inner.Hub }

func (t *Tap) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			if t.isClosed(l) {
				return
			}
			t.log.Warn("accept at the tap", "error", err)
			t.missed(record.NewFailure(record.RigHub, "take connections at the tap", l.Addr().String(), err))
			if errors.Is(err, net.ErrClosed) { // by nobody here
				return
			}
			t.door.Room()
			select { // out of descriptors: let connections end
			case <-time.After(50 * time.Millisecond):
			case <-t.ctx.Done():
				return
			}
			continue
		}
		tcp, ok := c.(*net.TCPConn)
		if !ok {
			_ = c.Close()
			continue
		}
		x := newConn(t, t.next.Add(1), tcp)
		if t.adopt(x) {
			t.running.Go(x.serve)
		}
	}
}

// isClosed reports whether the tap takes no connections there because it was
// told so.
func (t *Tap) isClosed(l net.Listener) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ctx.Err() != nil || t.down || t.listener != l
}

// adopt makes a connection known, so that Close reaches it; false where there
// is no room for it or the tap is closed.
func (t *Tap) adopt(c *conn) bool {
	if !t.door.Enter(c.id, hub.AddressOf(c.remote), c) {
		_ = c.raw.Close()
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil || t.down {
		t.door.Leave(c.id)
		_ = c.raw.Close()
		return false
	}
	t.conns[c.id] = c
	return true
}

func (t *Tap) forget(c *conn) {
	t.door.Leave(c.id)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c.id)
}

// living is the connection of the device's session.
func (t *Tap) living(id string) *conn {
	s, live := t.events.Session(id)
	if !live {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns[s.Conn]
}

// Close ends the tap and every connection, then the hub, as long as ctx allows.
func (t *Tap) Close(ctx context.Context) error {
	return errors.Join(t.stop(ctx), t.inner.Close(ctx))
}

func (t *Tap) stop(ctx context.Context) error {
	t.closeOnce.Do(func() {
		t.end()
		t.mu.Lock()
		l := t.listener
		t.mu.Unlock()
		if l != nil {
			_ = l.Close()
		}
		for _, c := range t.open() {
			c.cut("ended by the hub", "")
		}
		go func() {
			t.running.Wait()
			t.events.Tell()
			close(t.closed)
		}()
	})
	select {
	case <-t.closed:
		return nil
	case <-ctx.Done():
		return record.NewFailure(record.Harness, "close", "tap", fmt.Errorf("connections still being served: %w", context.Cause(ctx)))
	}
}

// open are the connections at present.
func (t *Tap) open() []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.conns))
}

package localhub

import (
	"context"
	"fmt"
	"hilrig/azure/hub"
	"net"
	"time"

	"hilrig/azure"
)

// Reset cuts the device's living session with a TCP reset, as a router does
// that has forgotten it. It reports whether there was one.
func (h *Hub) Reset(id string) bool {
	c := h.living(id)
	if c == nil {
		return false
	}
	h.shown(c.id, hub.OutageReset, "TCP reset")
	h.mu.Lock()
	raw := h.conns[c.id]
	h.mu.Unlock()
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // a connection that is gone already needs no reset
	}
	c.cut("reset by the hub", hub.OutageReset)
	return true
}

// TakeOver drops the device's living session as if another device of its id
// had connected (Azure: 400027 ConnectionForcefullyClosedOnNewConnection). None
// has, so the event of its end is no Takeover. It reports whether there was a
// session.
func (h *Hub) TakeOver(id string) bool {
	c := h.living(id)
	if c == nil {
		return false
	}
	h.shown(c.id, hub.OutageTakeOver, "as if another connection of this id had come")
	c.cut("taken over, as if by another device of this id", hub.OutageTakeOver)
	return true
}

// Silence makes the device's living session a black hole: it stays open, and
// nothing gets through either way any more. A later connection is not touched.
// It reports whether there was a session.
func (h *Hub) Silence(id string) bool {
	c := h.living(id)
	if c == nil {
		return false
	}
	c.silent.Store(true)
	h.shown(c.id, hub.OutageSilence, "nothing gets through any more")
	return true
}

// Push sends the device a message at QoS 0, which it need not answer: traffic
// towards it and none from it. A device without a subscription gets nothing.
func (h *Hub) Push(id string, payload []byte) error {
	c := h.living(id)
	if c == nil {
		return nil
	}
	if f, ok := h.subs.find(id, azure.KindDevicebound); ok && f.served {
		c.post("devices/"+id+"/messages/devicebound/", payload)
	}
	return nil
}

// Excuse forgets what the device owes from earlier connections: its power was
// cut.
func (h *Hub) Excuse(id string) { h.sessions.Excuse(id) }

// Down takes the hub away: its port is closed, every connection cut. Its
// registry, its record and what it stores for devices stay. Up brings it back.
func (h *Hub) Down() {
	h.mu.Lock()
	h.down = true
	l, live := h.listener, make([]*conn, 0, len(h.live))
	for _, c := range h.live {
		if !c.kept {
			live = append(live, c)
		}
	}
	h.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
	h.shown(0, hub.OutageDown, "the hub is away, "+h.config.Bind.Refusal())
	for _, c := range live {
		c.cut("the hub went away", hub.OutageDown)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, c := range h.conns {
		if !h.keeps(id) {
			_ = c.Close()
		}
	}
}

// Up listens again where the hub listened before. A port that somebody else
// has taken meanwhile is waited for, as long as ctx allows.
func (h *Hub) Up(ctx context.Context) error {
	h.mu.Lock()
	addr := h.listener.Addr().String()
	h.down = false
	h.mu.Unlock()
	for {
		_, err := h.Listen(ctx, addr)
		if err == nil {
			h.events.Add(hub.Event{Kind: hub.KindFaultShown, Text: fmt.Sprintf("over: %s", hub.OutageDown)})
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-h.closing:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (h *Hub) living(id string) *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live[id]
}

func (h *Hub) shown(conn int64, fault, text string) {
	h.events.Add(hub.Event{Kind: hub.KindFaultShown, Conn: conn, Fault: fault, Text: "shown: " + fault + ": " + text})
}

package tap

import (
	"context"
	"net"
	"os"
	"time"

	"hilrig/azure/hub"
)

// Drop ends the device's session as the hub does it, or else without a word by
// the tap. One that is silent the hub cannot end any more.
func (t *Tap) Drop(id string) bool {
	c := t.living(id)
	if t.inner.Sessions != nil && (c == nil || !c.silent.Load()) {
		return t.inner.Drop(id)
	}
	if c == nil {
		return false
	}
	c.cut("dropped by the tap", "")
	return true
}

// Reset ends the device's living session with a TCP reset on both sides, as a
// router does that has forgotten it. It reports whether there was one.
func (t *Tap) Reset(id string) bool {
	c := t.living(id)
	if c == nil {
		return false
	}
	t.says(c, hub.OutageReset, "TCP reset")
	c.reset("reset by the tap", hub.OutageReset)
	return true
}

// Silence makes the device's living session a black hole: it stays open, and
// nothing gets through either way any more. It reports whether there was one.
func (t *Tap) Silence(id string) bool {
	c := t.living(id)
	if c == nil {
		return false
	}
	t.says(c, hub.OutageSilence, "nothing gets through any more")
	c.silent.Store(true)
	c.mu.Lock()
	device, far := c.device, c.hub
	c.mu.Unlock()
	for _, side := range []net.Conn{device, far} {
		_ = side.SetDeadline(time.Unix(1, 0)) // ends what the kernel carries, also where a side takes no more
	}
	return true
}

// Down closes the tap's port and cuts every connection, as if the hub had gone.
func (t *Tap) Down() {
	t.mu.Lock()
	t.down = true
	l := t.listener
	t.mu.Unlock()
	_ = l.Close()
	t.says(nil, hub.OutageDown, "the hub is away, "+t.bind.Refusal())
	for _, c := range t.open() {
		c.cut("the hub went away", hub.OutageDown)
	}
}

// Up listens again where the tap listened before. A port that somebody else has
// taken meanwhile is waited for, as long as ctx allows.
func (t *Tap) Up(ctx context.Context) error {
	t.mu.Lock()
	addr := t.listener.Addr().String()
	t.down = false
	t.mu.Unlock()
	for {
		_, err := t.listen(ctx, addr)
		if err == nil {
			t.events.Add(hub.Event{Kind: hub.KindFaultShown, Text: "over: " + hub.OutageDown})
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-t.ctx.Done():
			return os.ErrClosed
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (t *Tap) says(c *conn, fault, text string) {
	e := hub.Event{Kind: hub.KindFaultShown, Fault: fault, Text: "shown: " + fault + ": " + text}
	if c != nil {
		e.Conn, e.Remote = c.id, c.remote
	}
	t.events.Add(e)
}

// Show shows a fault of the link itself. Any other the hub shows; where it shows
// none, the tap refuses connections in place of a CONNACK that refuses, and
// ends them behind the hub's first answer.
func (t *Tap) Show(f hub.Fault, times int) hub.Showing {
	if t.inner.Faults != nil && !ofLink(f) {
		return t.inner.Show(f, times)
	}
	return t.shown.Show(f, times)
}

// Showing reports whether any fault is shown at present.
func (t *Tap) Showing() bool {
	return t.shown.Any() || t.inner.Faults != nil && t.inner.Showing()
}

// missed records that no device gets through to the hub: what one does meanwhile
// says nothing of it.
func (t *Tap) missed(err error) {
	t.mu.Lock()
	first := t.gap.From.IsZero()
	if first {
		t.gap = hub.Gap{From: time.Now(), Why: err.Error()}
	}
	g := t.gap
	t.mu.Unlock()
	if first {
		t.events.Add(hub.Event{Kind: hub.KindGap, Text: g.String(), Gap: &g})
	}
}

// seen records that one gets through again.
func (t *Tap) seen() {
	t.mu.Lock()
	g := t.gap
	t.gap = hub.Gap{}
	t.mu.Unlock()
	if !g.From.IsZero() {
		g.To = time.Now()
		t.events.Add(hub.Event{Kind: hub.KindListening, Text: g.String(), Gap: &g})
	}
}

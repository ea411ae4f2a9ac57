package tap

import "hilrig/azure/hub"

// pairs say which connection of the tap a connection of the hub is, by the
// tap's own end of it.
type pairs struct {
	dialled map[string]*conn // of which the hub has not said that it accepted them
	waiting map[string]int64 // accepted by the hub; whose they are is not known yet
	of      map[int64]*conn
}

func newPairs() pairs {
	return pairs{dialled: map[string]*conn{}, waiting: map[string]int64{}, of: map[int64]*conn{}}
}

// pair makes c known by the tap's own end of its connection to the hub.
func (t *Tap) pair(c *conn, local string) {
	c.order.Lock()
	defer c.order.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.pairs.waiting[local]; ok {
		delete(t.pairs.waiting, local)
		t.pairs.of[n] = c
		c.paired = true
		return
	}
	t.pairs.dialled[local] = c
}

// unpair forgets a connection that the hub never said it accepted.
func (t *Tap) unpair(c *conn) {
	c.mu.Lock()
	far := c.hub
	c.mu.Unlock()
	if far == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if local := far.LocalAddr().String(); t.pairs.dialled[local] == c {
		delete(t.pairs.dialled, local)
	}
}

// pairOf finds whose connection an event of the hub is about. First says that it
// is known from now on.
func (t *Tap) pairOf(e hub.Event) (c *conn, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c = t.pairs.of[e.Conn]
	switch {
	case e.Kind == hub.KindDisconnected:
		delete(t.pairs.of, e.Conn)
		delete(t.pairs.waiting, e.Remote)
	case c == nil && e.Kind == hub.KindAccepted:
		if c, first = t.pairs.dialled[e.Remote], true; c != nil {
			delete(t.pairs.dialled, e.Remote)
			t.pairs.of[e.Conn] = c
			break
		}
		t.pairs.waiting[e.Remote] = e.Conn
	}
	return c, first
}

// heard takes an event of the hub behind into the record. It runs on the hub's
// goroutines.
func (t *Tap) heard(e hub.Event) {
	switch {
	case e.Kind == hub.KindNoise: // of the tap's own address
	case e.Conn == 0 && t.packet:
		t.events.Add(e)
	case !t.packet:
		t.arrived(e)
	default:
		if c, first := t.pairOf(e); c != nil {
			c.heard(e, first)
		}
	}
}

// heard takes an event of the hub about this connection.
func (c *conn) heard(e hub.Event, first bool) {
	c.order.Lock()
	defer c.order.Unlock()
	c.paired = c.paired || first
	switch {
	case e.Kind == hub.KindAccepted: // the tap's own is in the record
	case e.Kind == hub.KindHandshake:
		if h := e.Handshake; h != nil && !h.OK {
			c.reason = h.Err
		}
	case e.Kind == hub.KindFaultShown:
		if !c.shaken {
			c.fault = e.Fault
		}
		c.add(e)
	case e.Kind == hub.KindDisconnected && c.silent.Load() && !c.gone, !c.shaken:
		c.held = append(c.held, e)
	default:
		c.pass(e)
	}
}

// pass takes an event of the hub into the record. With order held.
func (c *conn) pass(e hub.Event) {
	if e.Kind == hub.KindDisconnected {
		if c.over {
			return
		}
		c.over = true
		c.mu.Lock()
		if c.byTap {
			e.Text, e.Fault, e.ByDevice, e.Refused = c.why, c.whyFault, false, false
		}
		c.mu.Unlock()
	}
	c.add(e)
}

// arrived takes what a hub that does not show the packets saw, but of sessions,
// of which the tap itself knows more. On which connection it came the record
// says.
func (t *Tap) arrived(e hub.Event) {
	switch e.Kind {
	case hub.KindAccepted, hub.KindHandshake, hub.KindConnect, hub.KindDisconnected:
		return
	}
	e.Conn, e.Remote = 0, ""
	t.events.Add(e)
}

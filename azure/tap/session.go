package tap

import "hilrig/azure/hub"

// session is what can be told of a session inside TLS, at a hub that does not
// show the packets: the hub has answered, and the device went on.
type session struct {
	answered, accepted bool
	before             int64 // records of the device when the hub answered
}

// follow looks at the bytes behind the handshake, and reports whether the
// connection is to end with them. With order held.
func (c *conn) follow(fromDevice bool) (ends bool) {
	s := &c.session
	switch {
	case c.tap.packet || !c.shaken || s.accepted || c.o.Lost():
	case !fromDevice && !s.answered && c.o.Records(false) > 0:
		s.answered, s.before = true, c.o.Records(true)
		if f, ok := c.tap.shown.Use(c.id, func(f hub.Fault) bool { return f.Drop }); ok {
			c.accept(f.Name)
			c.decide("dropped behind the hub's first answer", f.Name)
			return true
		}
	case fromDevice && s.answered && c.o.Records(true) > s.before:
		c.accept("")
	}
	return false
}

// accept records that a session began. With order held.
func (c *conn) accept(fault string) {
	if c.session.accepted {
		return
	}
	c.session.accepted = true
	if s, live := c.tap.events.Session(c.tap.device); live && s.Conn == c.id {
		return // a message has shown it
	}
	c.add(hub.Event{
		Kind: hub.KindConnect, DeviceID: c.tap.device, Fault: fault,
		Text:    "the hub has answered, and the device goes on: a session, as far as TLS lets see",
		Connect: &hub.Connect{ClientID: c.tap.device, Answered: true, Inferred: true},
	})
}

package mqttwire

import "time"

// strangersProve is how many messages that were never seen before must have
// come with DUP, and not one message without, before DUP is taken as set on
// first deliveries. Fewer may have been tried over a link that lost them, or
// before anyone watched.
const strangersProve = 5

// A message left over from the connection before is held against the client as
// never re-sent ([MQTT-4.4.0-1] sets no time) when so many new ones have been
// sent and acknowledged in its place, and so much time has passed.
const (
	owedMessages = 3
	owedTime     = 30 * time.Second
)

// publish judges a PUBLISH at QoS 1 or 2 by the messages before it.
func (c *Checker) publish(p Packet) {
	if r, used := c.requests[p.ID]; used {
		c.violate("[MQTT-2.3.1-2]", p, "packet identifier %d is that of an unanswered %s", p.ID, TypeName(r.kind))
	}
	if !c.owns() || p.ID == 0 {
		return
	}
	content := c.sessions.contentOf(p)
	if m := c.session.pending[p.ID]; m != nil {
		c.again(p, m, content)
	} else if p.Dup {
		c.stranger(p, content)
	} else {
		c.session.firsts++
		c.session.strangers = nil
	}
	c.remember(p, content)
	c.owed(p.At)
}

// again judges a PUBLISH whose packet identifier is in use.
func (c *Checker) again(p Packet, m *message, content uint64) {
	same := m.content == content
	switch {
	case same && p.Dup && m.released:
		c.violate("[MQTT-4.3.3-1]", p, "packet identifier %d is published again behind its PUBREL", p.ID)
	case same && p.Dup:
	case same:
		c.violate("[MQTT-3.3.1-1]", p, "packet identifier %d, unacknowledged, is sent again without DUP", p.ID)
	case m.connection == c.connection:
		c.violate("[MQTT-2.3.1-2]", p, "packet identifier %d is that of another message, unacknowledged, to %q", p.ID, m.topic)
	default:
		c.violate("[MQTT-4.4.0-1]", p,
			"packet identifier %d is that of a message left unacknowledged on the connection before, which was not sent again", p.ID)
	}
}

// stranger judges a message that comes with DUP and is not in flight. It is
// sound when its acknowledgement was lost, or when the first try never reached
// us.
func (c *Checker) stranger(p Packet, content uint64) {
	v := c.session
	if v.seen[p.ID] == content {
		return
	}
	if c.done[p.ID] {
		c.violate("[MQTT-4.3.2-1]", p,
			"DUP is set on a new message: packet identifier %d was acknowledged for another on this connection", p.ID)
		return
	}
	// One that was sent again under its own identifier too is another message of
	// the same content: messages are re-sent in their order ([MQTT-4.6.0-1]).
	if id, known := v.contents[content]; known && v.pending[id] != nil && !v.pending[id].resent && !v.repeats && len(v.contents) > 2 {
		c.violate("[MQTT-2.3.1-3]", p, "is sent again as packet identifier %d, it was %d", p.ID, id)
		return
	}
	if v.firsts > 0 {
		return
	}
	if len(v.strangers) < strangersProve {
		v.strangers = append(v.strangers, p.At)
	}
	if len(v.strangers) == strangersProve {
		c.violate("[MQTT-4.3.2-1]", p, "DUP is set on first deliveries: on the %d messages so far, none of them seen before", strangersProve)
	}
}

// remember puts a PUBLISH among those on their way.
func (c *Checker) remember(p Packet, content uint64) {
	v := c.session
	v.note(p.ID, content, p.Dup)
	if m := v.pending[p.ID]; m != nil && m.content == content {
		m.resent = true
		return
	}
	v.pending[p.ID] = &message{content: content, topic: p.Topic, connection: c.connection, resent: true}
	delete(c.done, p.ID)
}

// owed holds against the client what it left over and never sent again.
func (c *Checker) owed(at time.Time) {
	if !c.resumed || !c.owns() || c.completed < owedMessages || at.Sub(c.accepted) < owedTime {
		return
	}
	for id, m := range c.session.pending {
		if m.connection == c.connection || m.resent || m.blamed {
			continue
		}
		m.blamed = true
		c.violate("[MQTT-4.4.0-1]", Packet{Name: TypeName(PUBLISH), At: at},
			"packet identifier %d to %q, left unacknowledged on the connection before, was not sent again in %.0f s and %d newer messages",
			id, m.topic, at.Sub(c.accepted).Seconds(), c.completed)
	}
}

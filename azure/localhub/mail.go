package localhub

import (
	"sync"
	"time"

	"hilrig/azure/mqttwire"
)

// maxMail is how many packets may wait for a device that does not read.
const maxMail = 256

// mail is what is sent to a device beside the answers to its packets: twin,
// methods; cloud-to-device messages have their own queue. The zero value is the
// mail of a connection without a session.
type mail struct {
	mu        sync.Mutex
	waiting   []mqttwire.Packet
	open      bool        // there is a session
	out       bool        // sendMail runs
	more      bool        // and has to look once more
	delivered bool        // the first delivery of a fault was made
	again     *time.Timer // when there is more to do; nil: when woken
}

// put adds a packet; false where too much waits already.
func (m *mail) put(p mqttwire.Packet) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) >= maxMail {
		return false
	}
	m.waiting = append(m.waiting, p)
	return true
}

// drain is what waits; nothing once there is nothing to do: sendMail then ends.
func (m *mail) drain() (all []mqttwire.Packet, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.more || !m.open {
		m.out = false
		return nil, false
	}
	all, m.waiting, m.more = m.waiting, nil, false
	return all, true
}

// close ends it with its connection.
func (m *mail) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open, m.waiting = false, nil
	if m.again != nil {
		m.again.Stop()
	}
}

// start opens the mail of a session, and begins to send it.
func (c *conn) start() {
	c.mail.mu.Lock()
	c.mail.open = true
	c.mail.mu.Unlock()
	c.wake()
}

// wake begins to send, or makes sendMail look once more.
func (c *conn) wake() {
	m := &c.mail
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.open {
		return
	}
	if m.more = true; !m.out {
		m.out = true
		c.hub.running.Go(c.sendMail) // an open mail is that of a connection that runs
	}
}

// post sends a message of the hub's own once the CONNACK is out, at QoS 0 as
// twin and methods are.
func (c *conn) post(topic string, payload []byte) {
	if !c.mail.put(mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: topic, Payload: payload}) {
		c.cut("the device does not read what it asked for", "")
	}
	c.wake()
}

// sendMail sends what waits and is due.
func (c *conn) sendMail() {
	for {
		all, ok := c.mail.drain()
		if !ok {
			return
		}
		for _, p := range all {
			c.send(p)
		}
		again, sent := c.deliver()
		if sent || len(all) > 0 { // else what the reader gathers stays together
			c.flush()
		}
		if !again.IsZero() {
			c.wakeAt(again)
		}
	}
}

// wakeAt is wake at a moment to come, instead of at an earlier one.
func (c *conn) wakeAt(t time.Time) {
	m := &c.mail
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.open:
	case m.again == nil:
		m.again = time.AfterFunc(time.Until(t), c.wake)
	default:
		m.again.Reset(time.Until(t))
	}
}

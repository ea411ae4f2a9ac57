package localhub

import (
	"sync"
	"time"

	"hilrig/azure/localhub/mqttwire"
)

// maxMail is how many packets may wait for a device that does not read.
const maxMail = 256

// mail is what the hub itself has to send on a connection, beside the broker's
// answers: twin, methods. Cloud-to-device messages have their own queue.
type mail struct {
	mu      sync.Mutex
	waiting [][]byte
	more    chan struct{}
}

func newMail() *mail { return &mail{more: make(chan struct{}, 1)} }

// put adds a packet; false where too much waits already.
func (m *mail) put(raw []byte) bool {
	m.mu.Lock()
	full := len(m.waiting) >= maxMail
	if !full {
		m.waiting = append(m.waiting, raw)
	}
	m.mu.Unlock()
	m.wake()
	return !full
}

// wake makes the postman look again.
func (m *mail) wake() {
	select {
	case m.more <- struct{}{}:
	default: // he is awake
	}
}

func (m *mail) take() [][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.waiting
	m.waiting = nil
	return all
}

// await waits for more, or until again where that is a time; false when gone is
// closed before.
func (m *mail) await(again time.Time, gone <-chan struct{}) bool {
	var late <-chan time.Time
	if !again.IsZero() {
		t := time.NewTimer(time.Until(again))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-m.more:
	case <-late:
	case <-gone:
		return false
	}
	return true
}

// post sends a message of the hub's own once the CONNACK is out, at QoS 0 as
// twin and methods are.
func (c *conn) post(topic string, payload []byte) {
	if !c.mail.put(mqttwire.Publish(mqttwire.Packet{Topic: topic, Payload: payload})) {
		c.cut("the device does not read what it asked for", "")
	}
}

// postman sends what waits, until the connection ends.
func (c *conn) postman() {
	for {
		for _, raw := range c.mail.take() {
			if c.sendOwn(raw) != nil {
				return // the reader learns of it too
			}
		}
		again, err := c.deliver()
		if err != nil {
			return
		}
		if !c.mail.await(again, c.gone) {
			return
		}
	}
}

// sendOwn sends a packet that is not the broker's; faults see it all the same.
func (c *conn) sendOwn(raw []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	for _, f := range mqttwire.NewSplitter(0, nil).Feed(raw) {
		if err := c.send(f); err != nil {
			return err
		}
	}
	return nil
}

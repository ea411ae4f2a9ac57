package localhub

import (
	"sync"

	"hilrig/azure/localhub/mqttwire"
)

// maxMail is how many packets may wait for a device that does not read.
const maxMail = 256

// mail is what the hub itself has to send on a connection, beside the broker's
// answers: twin, methods.
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
		select {
		case <-c.mail.more:
		case <-c.gone:
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

package emulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// outbox is where paho keeps what is not acknowledged ([mqtt.Store]). Unlike
// paho's own it outlives its client and is never closed, so that the last
// breath of one session cannot close the next one's; and it knows which
// messages were ever on the wire: only those are sent again with DUP
// [MQTT-3.3.1-1].
type outbox struct {
	mu       sync.Mutex
	messages map[string]packets.ControlPacket
	sent     map[uint16]bool
	put      chan struct{} // closed by the next outgoing message
	cleared  chan struct{} // closed while no outgoing message is kept
}

var _ mqtt.Store = (*outbox)(nil)

func newOutbox() *outbox {
	o := &outbox{messages: map[string]packets.ControlPacket{}, sent: map[uint16]bool{}, put: make(chan struct{}), cleared: make(chan struct{})}
	close(o.cleared)
	return o
}

// Open, Close: see outbox.
func (*outbox) Open()  {}
func (*outbox) Close() {}

// outgoing is the prefix of paho's keys for what it sends.
const outgoing = "o."

func (o *outbox) Put(key string, p packets.ControlPacket) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasPrefix(key, outgoing) && o.kept() == 0 {
		o.cleared = make(chan struct{})
	}
	o.messages[key] = p
	if strings.HasPrefix(key, outgoing) {
		close(o.put)
		o.put = make(chan struct{})
	}
}

func (o *outbox) Get(key string) packets.ControlPacket {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages[key]
}

// All is in the order of packet ids, which is the order of sending.
func (o *outbox) All() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(maps.Keys(o.messages))
}

func (o *outbox) Del(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.kept()
	delete(o.messages, key)
	if id, err := strconv.ParseUint(strings.TrimPrefix(key, outgoing), 10, 16); err == nil {
		delete(o.sent, uint16(id))
	}
	if before > 0 && o.kept() == 0 {
		close(o.cleared)
	}
}

// Reset forgets everything.
func (o *outbox) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept() > 0 {
		close(o.cleared)
	}
	clear(o.messages)
	clear(o.sent)
}

// kept is how many outgoing messages there are.
func (o *outbox) kept() (n int) {
	for key := range o.messages {
		if strings.HasPrefix(key, outgoing) {
			n++
		}
	}
	return n
}

// nextPut is closed when paho keeps the next outgoing message.
func (o *outbox) nextPut() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.put
}

// empty is closed when nothing is unacknowledged.
func (o *outbox) empty() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cleared
}

// goes notes that a message goes onto the wire, and reports whether it did
// before.
func (o *outbox) goes(id uint16) (before bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before = o.sent[id]
	o.sent[id] = true
	return before
}

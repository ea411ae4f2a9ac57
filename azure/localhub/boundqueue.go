package localhub

import (
	"hilrig/azure/hub"
	"slices"
	"sync"
	"time"

	"hilrig/azure/mqttwire"
)

// Rules of cloud-to-device messages (Azure: iot-hub-devguide-messages-c2d).
const (
	boundLock  = time.Minute // from a delivery until the message is visible again
	boundTTL   = time.Hour   // of a message that says nothing else
	maxPending = 50          // of a device, unacknowledged ones among them
)

// queues hold every device's messages until they are completed. They are the
// hub's own because the broker's know no lock and no time to live, and keep
// nothing for a device that has never subscribed.
type queues struct {
	lock time.Duration
	mu   sync.Mutex
	of   map[string]*queue
}

type queue struct {
	last    uint16 // packet identifier given
	waiting []*bound
}

// bound is a message in its queue.
type bound struct {
	hub.DeviceBound
	packet  uint16 // its identifier, for as long as it waits [MQTT-4.4.0-1]
	expires time.Time
	conn    int64     // on which it went last
	locked  time.Time // until then
	tries   int
}

func newQueues(lock time.Duration) *queues { return &queues{lock: lock, of: map[string]*queue{}} }

// add queues a message; false where too many wait.
func (q *queues) add(id string, m hub.DeviceBound, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.of[id]
	if own == nil {
		own = &queue{}
		q.of[id] = own
	}
	own.expire(now)
	if len(own.waiting) >= maxPending {
		return false
	}
	ttl := m.TTL
	if ttl <= 0 {
		ttl = boundTTL
	}
	own.waiting = append(own.waiting, &bound{DeviceBound: m, packet: own.nextPacket(), expires: now.Add(ttl)})
	return true
}

func (q *queue) nextPacket() uint16 {
	for {
		q.last++
		used := slices.ContainsFunc(q.waiting, func(b *bound) bool { return b.packet == q.last })
		if q.last != 0 && !used {
			return q.last
		}
	}
}

// expire drops what has outlived its time and returns it.
func (q *queue) expire(now time.Time) (gone []*bound) {
	q.waiting = slices.DeleteFunc(q.waiting, func(b *bound) bool {
		if now.Before(b.expires) {
			return false
		}
		gone = append(gone, b)
		return true
	})
	return gone
}

// delivery is what is to be done for a device now.
type delivery struct {
	packets []mqttwire.Packet // to send, in order
	expired []*bound
	again   time.Time // when there is more to do; zero: at the next message
}

// due takes what goes on a connection now: what never went, what went on an
// earlier connection, and what was not acknowledged within its lock. A message
// at QoS 0 is complete with its sending.
func (q *queues) due(id string, conn int64, qos byte, now time.Time) (d delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.of[id]
	if own == nil {
		return d
	}
	d.expired = own.expire(now)
	for _, b := range own.waiting {
		if b.conn != conn || !now.Before(b.locked) {
			p := mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: b.Topic(id), Payload: b.Payload}
			if qos > 0 {
				p.QoS, p.ID, p.Dup = qos, b.packet, b.tries > 0
			}
			d.packets = append(d.packets, p)
			b.conn, b.locked = conn, now.Add(q.lock)
			b.tries++
		}
		for _, t := range []time.Time{b.locked, b.expires} {
			if d.again.IsZero() || t.Before(d.again) {
				d.again = t
			}
		}
	}
	if qos == 0 {
		own.waiting, d.again = nil, time.Time{}
	}
	return d
}

// complete is a PUBACK; false where no message waits for it.
func (q *queues) complete(id string, packet uint16) (hub.DeviceBound, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.of[id]
	if own == nil {
		return hub.DeviceBound{}, false
	}
	i := slices.IndexFunc(own.waiting, func(b *bound) bool { return b.packet == packet && b.tries > 0 })
	if i < 0 {
		return hub.DeviceBound{}, false
	}
	done := own.waiting[i].DeviceBound
	own.waiting = slices.Delete(own.waiting, i, i+1)
	return done, true
}

func (q *queues) count(id string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.of[id] == nil {
		return 0
	}
	return len(q.of[id].waiting)
}

// purge empties a queue and says how much was in it. Packet identifiers go on,
// so that an acknowledgement under way completes nothing else.
func (q *queues) purge(id string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.of[id]
	if own == nil {
		return 0
	}
	n := len(own.waiting)
	own.waiting = nil
	return n
}

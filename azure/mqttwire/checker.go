package mqttwire

import (
	"fmt"
	"sync"
	"time"
)

// maxViolations bounds what a Checker keeps; a client that breaks more is
// known well enough.
const maxViolations = 1000

// lingering is how long a client may leave the connection open behind its
// DISCONNECT before [MQTT-3.14.4-1] is held against it. The standard gives no
// time; a sound stack closes at once, over a slow link within seconds.
const lingering = 10 * time.Second

// Checker judges the client of one connection. Safe for concurrent use, though
// packets must be fed in the order in which they were on the wire.
type Checker struct {
	mu         sync.Mutex
	sessions   *Sessions
	session    *session // nil until the CONNECT is accepted
	claimed    *session // what Claim took
	connection uint64   // its number within the session
	connect    *Connect
	accepted   time.Time // when the CONNACK with code 0 was sent
	resumed    bool      // clean session 0, and the CONNACK said that the session is there
	foreign    bool      // not MQTT 3.1.1: not judged
	unopened   bool      // the first packet was no CONNECT: said once, not judged any further
	left       time.Time // of the DISCONNECT
	after      bool      // a packet behind the DISCONNECT was held against it
	requests   map[uint16]request
	done       map[uint16]bool // packet identifiers of messages acknowledged on this connection
	completed  int             // new messages acknowledged on this connection
	violations []Violation
}

// request is a SUBSCRIBE or UNSUBSCRIBE without its answer.
type request struct {
	kind    byte
	content uint64
}

// NewChecker makes the Checker of a new connection. sessions may be nil: then
// nothing is carried over.
func NewChecker(sessions *Sessions) *Checker {
	if sessions == nil {
		sessions = NewSessions()
	}
	return &Checker{sessions: sessions}
}

// Feed decodes the next frame and judges it: what it returns is what this
// frame alone adds. A frame of the server must be fed before it is written,
// else the client's answer to it may come first; a frame that is withheld must
// not be fed.
func (c *Checker) Feed(f Frame, fromClient bool) (Packet, []Violation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	p, own := Decode(f, fromClient)
	before := len(c.violations)
	switch {
	case c.foreign || c.unopened:
	case fromClient:
		c.add(own...)
		c.fromClient(p)
	case p.Malformed == "":
		c.fromServer(p)
	}
	return p, append([]Violation(nil), c.violations[before:]...)
}

// Sent is Feed for a packet of the server that is at hand as it is, and need
// not be decoded. At must be set.
func (c *Checker) Sent(p Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	if !c.foreign && !c.unopened {
		c.fromServer(p)
	}
}

// Broken records that the client's stream could not be cut any further
// (Splitter.Err).
func (c *Checker) Broken(err error, at time.Time) []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.foreign || c.unopened || err == nil {
		return nil
	}
	v := Violation{Statement: "MQTT 2.2.3", Text: err.Error(), Packet: "stream", At: at}
	c.add(v)
	return []Violation{v}
}

// End closes the books at the end of the connection. byClient says that the
// client closed it.
func (c *Checker) End(at time.Time, byClient bool) []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	before := len(c.violations)
	if !c.left.IsZero() && !byClient && at.Sub(c.left) > lingering {
		c.violate("[MQTT-3.14.4-1]", Packet{Name: TypeName(DISCONNECT), At: at},
			"the client left the connection open for %.0f s behind it", at.Sub(c.left).Seconds())
	}
	c.owed(at)
	return append([]Violation(nil), c.violations[before:]...)
}

// Violations are all so far, at most 1,000.
func (c *Checker) Violations() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Violation(nil), c.violations...)
}

func (c *Checker) add(vs ...Violation) {
	room := maxViolations - len(c.violations)
	c.violations = append(c.violations, vs[:min(room, len(vs))]...)
}

func (c *Checker) violate(statement string, p Packet, format string, args ...any) {
	c.add(Violation{Statement: statement, Text: fmt.Sprintf(format, args...), Packet: p.Name, At: p.At})
}

// fromClient judges a packet by what came before it.
func (c *Checker) fromClient(p Packet) {
	switch {
	case c.connect == nil && p.Type != CONNECT:
		c.unopened = true
		c.violate("[MQTT-3.1.0-1]", p, "is the first packet, and that must be CONNECT")
		return
	case c.connect == nil:
		c.connect = p.Connect
		c.foreign = !p.Connect.is311()
		return
	case p.Type == CONNECT:
		c.violate("[MQTT-3.1.0-2]", p, "is the second on this connection")
		return
	case !c.left.IsZero():
		if !c.after {
			c.after = true
			c.violate("[MQTT-3.14.4-2]", p, "comes behind the client's DISCONNECT")
		}
		return
	case p.Malformed != "":
		return
	}
	switch p.Type {
	case PUBLISH:
		if p.QoS == 1 || p.QoS == 2 {
			c.publish(p)
		}
	case SUBSCRIBE, UNSUBSCRIBE:
		c.request(p)
	case PUBACK, PUBREC:
		c.acknowledge(p)
	case PUBREL:
		c.release(p)
	case DISCONNECT:
		c.left = p.At
	}
}

// request judges the packet identifier of a SUBSCRIBE or UNSUBSCRIBE. The same
// again, unanswered, is a second try and allowed.
func (c *Checker) request(p Packet) {
	if p.ID == 0 {
		return
	}
	r := request{kind: p.Type, content: c.sessions.contentOf(Packet{Topic: fmt.Sprint(p.Filters)})}
	if old, used := c.requests[p.ID]; used && old != r {
		c.violate("[MQTT-2.3.1-2]", p, "packet identifier %d is that of an unanswered %s", p.ID, TypeName(old.kind))
	}
	if m := c.inFlight(p.ID); m != nil && m.connection == c.connection {
		c.violate("[MQTT-2.3.1-2]", p, "packet identifier %d is that of an unacknowledged PUBLISH", p.ID)
	}
	if c.requests == nil {
		c.requests = map[uint16]request{}
	}
	c.requests[p.ID] = r
}

// acknowledge judges a client's answer to a message of the server. Whether
// every message is answered is not asked here: no time is set for it.
func (c *Checker) acknowledge(p Packet) {
	if c.session != nil && p.ID != 0 && !c.session.received[p.ID] {
		c.violate("[MQTT-2.3.1-6]", p, "packet identifier %d is of no message that the server sent", p.ID)
	}
}

// release follows a QoS 2 message to its second half.
func (c *Checker) release(p Packet) {
	if m := c.inFlight(p.ID); m != nil {
		m.released = true
		m.resent = true
	}
}

// fromServer follows what the client is told.
func (c *Checker) fromServer(p Packet) {
	switch p.Type {
	case CONNACK:
		if len(p.ReturnCodes) == 1 && p.ReturnCodes[0] == 0 && c.connect != nil && c.session == nil {
			c.accept(p)
		}
	case PUBLISH:
		if c.session != nil && p.QoS > 0 {
			c.session.received[p.ID] = true
		}
	case PUBACK, PUBCOMP:
		c.complete(p.ID)
	case SUBACK, UNSUBACK:
		delete(c.requests, p.ID)
	}
}

// Claim takes the session of the CONNECT that was fed, from whoever has it
// ([MQTT-3.1.4-2]). A server calls it in the order in which its connections
// take each other over: the CONNACK of one that was taken over meanwhile may
// still come, and takes nothing back. Without it the CONNACK claims.
func (c *Checker) Claim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	if c.connect != nil {
		c.claim()
	}
}

func (c *Checker) claim() {
	if c.claimed != nil {
		return
	}
	c.claimed = c.sessions.of(c.connect.ClientID)
	c.claimed.connections++
	c.connection = c.claimed.connections
}

// accept begins the session. Only one that both sides continue leaves the
// client in debt ([MQTT-4.4.0-1]).
func (c *Checker) accept(p Packet) {
	c.claim()
	v := c.claimed
	c.session, c.accepted = v, p.At
	c.resumed = !c.connect.Clean && p.SessionPresent
	if !c.owns() {
		return
	}
	if !c.resumed {
		clear(v.pending)
	}
	for _, m := range v.pending {
		m.resent = false
	}
}

// complete takes a message of the client as acknowledged. The acknowledgement
// may be lost on its way: a client that sends the message again has done
// nothing wrong.
func (c *Checker) complete(id uint16) {
	if c.session == nil {
		return
	}
	m := c.session.pending[id]
	if m == nil || !c.owns() && m.connection != c.connection {
		return
	}
	delete(c.session.pending, id)
	if c.done == nil {
		c.done = map[uint16]bool{}
	}
	c.done[id] = true
	if m.connection == c.connection {
		c.completed++
	}
}

// owns says that no later connection has taken the session over.
func (c *Checker) owns() bool { return c.session != nil && c.session.connections == c.connection }

func (c *Checker) inFlight(id uint16) *message {
	if !c.owns() {
		return nil
	}
	return c.session.pending[id]
}

package localhub

import (
	"hilrig/azure/hub"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/azure/mqttwire"
)

// conn is a connection of a device, from its handshake to its end: it records
// the packets of both directions, answers those of the device by the hub's
// rules, and keeps back what a fault says.
//
// One goroutine reads and answers. What is answered is gathered and goes before
// the next wait for the device. Who else has something to send leaves it with
// sendMail, which runs only while there is something.
type conn struct {
	net.Conn // in clear: TLS
	raw      net.Conn
	hub      *Hub
	id       int64
	remote   string
	check    *mqttwire.Checker

	// the reader's
	hs      *hub.Handshake // until CONNECT is judged
	in      *mqttwire.Splitter
	since   time.Time
	timeout time.Duration
	left    bool // DISCONNECT has come
	deaf    bool // what comes is recorded, and nobody answers
	kept    bool // it is a neighbour's

	mu       sync.Mutex
	connect  *hub.Connect // judged
	will     *mqttwire.Will
	deviceID string
	bye      bool // DISCONNECT was sent
	why      string
	fault    string
	takeover bool
	byDevice bool      // ended it
	refused  bool      // the hub ended it for what the device sent
	closed   time.Time // by the hub; zero: it was not

	sending    sync.Mutex
	out        *[]byte // what goes next
	writeUntil time.Time
	over       bool // nothing is sent any more

	mail mail
	gone chan struct{} // closed when it has ended

	silent atomic.Bool // nothing gets through any more, either way
}

// newConn makes the connection of a device; raw is the one below clear.
func newConn(h *Hub, id int64, clear, raw net.Conn, hs *hub.Handshake) *conn {
	return &conn{
		Conn: clear, raw: raw, hub: h, id: id, remote: raw.RemoteAddr().String(), hs: hs, check: mqttwire.NewChecker(h.sessions),
		in: mqttwire.NewSplitter(0, nil), since: time.Now(), timeout: h.config.ConnectWithin, gone: make(chan struct{}),
	}
}

func (c *conn) packet(p mqttwire.Packet, in, withheld bool) {
	arrow := "→ device"
	if in {
		arrow = "← device"
	}
	if withheld {
		arrow = "withheld"
	}
	text := p.Name + " " + arrow
	if p.Topic != "" {
		text += " " + p.Topic
	}
	c.event(hub.Event{Kind: hub.KindPacket, Text: text, Packet: &hub.Packet{
		In: in, Type: p.Type, Name: p.Name, ID: p.ID, QoS: p.QoS, Dup: p.Dup, Retain: p.Retain,
		Topic: p.Topic, Size: p.Size, Malformed: p.Malformed, Withheld: withheld,
	}})
}

func (c *conn) violations(vs []mqttwire.Violation) {
	for _, v := range vs {
		c.event(hub.Event{Kind: hub.KindViolation, Text: v.String(), Violation: &v})
	}
}

func (c *conn) event(e hub.Event) {
	if c.kept && e.Kind != hub.KindConnect && e.Kind != hub.KindDisconnected {
		return // what a neighbour sends is no matter of this record
	}
	e.Conn, e.Remote = c.id, c.remote
	c.mu.Lock()
	e.DeviceID = c.deviceID
	c.mu.Unlock()
	c.hub.events.Add(e)
}

// because notes why the connection ends; the first reason stays.
func (c *conn) because(why, fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.fault = why, fault
	}
}

// endedByDevice notes that the device ended the connection, unless the hub did before.
func (c *conn) endedByDevice(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.byDevice = why, true
	}
}

// cut ends the connection without a word: TCP closed under TLS, as a hub does
// that has enough. This is its end, whenever a busy host comes to record it: the
// device's pause begins here.
func (c *conn) cut(why, fault string) {
	c.because(why, fault)
	c.mu.Lock()
	if c.closed.IsZero() {
		c.closed = time.Now()
	}
	c.mu.Unlock()
	_ = c.raw.Close()
}

// refuseOn is cut for what the device sent: in MQTT 3.1.1 a hub has no other
// word for no.
func (c *conn) refuseOn(why string) {
	c.mu.Lock()
	c.refused = c.why == ""
	c.mu.Unlock()
	c.cut(why, "")
}

// ended is the connection's last event; the will of a device that went without
// DISCONNECT comes before it [MQTT-3.1.2-8].
func (c *conn) ended() {
	_ = c.Conn.Close() // TLS says good-bye, where TCP is not closed already
	c.sending.Lock()
	c.over, c.out = true, nil
	c.sending.Unlock()
	c.mail.close()
	c.hub.leave(c)
	defer close(c.gone)
	c.mu.Lock()
	why, fault, takeover, bye := c.why, c.fault, c.takeover, c.bye
	will, byDevice, refused, closed := c.will, c.byDevice, c.refused, c.closed
	c.mu.Unlock()
	if why == "" {
		why = "ended by the hub"
	}
	if will != nil && !bye {
		c.publishWill(will)
	}
	c.violations(c.check.End(time.Now(), bye))
	if byDevice {
		closed = time.Time{} // it went before
	}
	c.event(hub.Event{Kind: hub.KindDisconnected, At: closed, Text: why, Fault: fault, ByDevice: byDevice, Refused: refused, Takeover: takeover})
}

// leave takes the connection out of the living sessions, if it is one.
func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.deviceID != "" && h.live[c.deviceID] == c {
		delete(h.live, c.deviceID)
	}
}

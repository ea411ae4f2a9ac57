package localhub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub/mqttwire"
)

// conn stands between TLS and the broker. It frames the packets of both
// directions, records them, applies the hub's rules before the broker sees
// them, and keeps packets back when a fault says so.
type conn struct {
	*tls.Conn
	hub   *Hub
	id    int64
	hs    *Handshake
	shown []*Showing
	check *mqttwire.Checker

	in, out *mqttwire.Splitter
	ready   []byte // bytes for the broker
	timeout time.Duration

	mu       sync.Mutex
	connect  *Connect // judged
	deviceID string
	bye      bool // DISCONNECT was sent
	why      string
	fault    string
	takeover bool
	byDevice bool // ended it
	sending  sync.Mutex

	mail    *mail
	asked   map[uint16][]mqttwire.Filter // of SUBSCRIBEs without their SUBACK; with mu
	gone    chan struct{}                // closed when it has ended
	greeted bool                         // the postman's

	silent    atomic.Bool // nothing gets through any more, either way
	lingering bool        // refused, and looked at a little longer; the reader's
}

func newConn(h *Hub, id int64, t *tls.Conn, hs *Handshake, shown []*Showing) *conn {
	return &conn{
		Conn: t, hub: h, id: id, hs: hs, shown: shown, check: mqttwire.NewChecker(h.sessions),
		in: mqttwire.NewSplitter(0, nil), out: mqttwire.NewSplitter(0, nil), timeout: h.config.ConnectWithin,
		mail: newMail(), asked: map[uint16][]mqttwire.Filter{}, gone: make(chan struct{}),
	}
}

// SetDeadline and its kin are the broker's; the hub has its own time limits.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// Read hands the broker the next bytes of packets that passed the rules.
func (c *conn) Read(b []byte) (int, error) {
	buf := make([]byte, 8192)
	for len(c.ready) == 0 {
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
			return 0, io.EOF
		}
		n, err := c.Conn.Read(buf)
		if c.silent.Load() {
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				c.readEnded(err)
				return 0, io.EOF
			}
			continue
		}
		for _, f := range c.in.Feed(buf[:n]) {
			if !c.receive(f) {
				return 0, io.EOF
			}
		}
		if broken := c.in.Err(); broken != nil {
			c.violations(c.check.Broken(broken, time.Now()))
			c.cut("malformed: "+broken.Error(), "")
			return 0, io.EOF
		}
		if c.connect == nil && c.in.Pending() > maxBeforeConnect {
			c.cut("more than 8 kB without a CONNECT", "")
			return 0, io.EOF
		}
		if err != nil {
			c.readEnded(err)
			return 0, io.EOF
		}
	}
	n := copy(b, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

func (c *conn) readEnded(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && c.lingering:
		c.cut("", "") // why was said when it was refused
	case errors.Is(err, os.ErrDeadlineExceeded) && c.connect == nil:
		c.cut(fmt.Sprintf("no CONNECT within %s", c.timeout), "")
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.cut(fmt.Sprintf("nothing within 1.5 × keep-alive, %s", c.timeout), "")
	case errors.Is(err, io.EOF):
		c.given("closed by the device")
	default:
		c.given("connection lost: " + reason(err).Error())
	}
}

// receive applies the hub's rules to a packet of the device. What it lets
// pass goes to the broker; false ends the connection.
func (c *conn) receive(f mqttwire.Frame) bool {
	p, bad := c.check.Feed(f, true)
	c.packet(p, true, false)
	c.violations(bad)
	if c.lingering {
		return true // it is in the record; nobody answers
	}
	if p.Malformed != "" && p.Type != mqttwire.CONNECT {
		c.cut("malformed "+p.Name+": "+p.Malformed, "")
		return false
	}
	if (c.connect == nil) != (p.Type == mqttwire.CONNECT) {
		c.cut("the first packet must be CONNECT, and the only one; this is "+p.Name, "")
		return false
	}
	switch p.Type {
	case mqttwire.CONNECT:
		return c.receiveConnect(f, p)
	case mqttwire.PUBLISH:
		return c.receivePublish(f, p)
	case mqttwire.SUBSCRIBE:
		return c.receiveSubscribe(f, p)
	case mqttwire.PUBACK:
		c.receivePuback(p)
		return true // the broker sends nothing that is acknowledged
	case mqttwire.UNSUBSCRIBE:
		c.hub.subs.remove(c.deviceID, p.Filters)
	case mqttwire.DISCONNECT:
		c.mu.Lock()
		c.bye, c.why, c.byDevice = true, "DISCONNECT by the device", true
		c.mu.Unlock()
	}
	c.ready = append(c.ready, f.Raw...)
	return true
}

// Write takes the broker's packets to the device, unless a fault keeps them
// back.
func (c *conn) Write(b []byte) (int, error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	for _, f := range c.out.Feed(b) {
		if err := c.send(f); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (c *conn) send(f mqttwire.Frame) error {
	if f.Type() == mqttwire.DISCONNECT {
		return nil // the broker's way of dropping; in MQTT 3.1.1 a server sends none
	}
	if f.Type() == mqttwire.CONNACK {
		return c.sendConnack(f)
	}
	fault, kept := c.hub.faults.take(c.id, func(x Fault) bool { return slices.Contains(x.Withhold, f.Type()) && c.answers(f, x.Filter) })
	if f.Type() == mqttwire.SUBACK {
		c.serve(f)
	}
	if kept {
		p, _ := mqttwire.Decode(f, false)
		c.packet(p, false, true)
		c.hub.log.Debug("withheld", "packet", p.Name, "fault", fault.Name)
		return nil
	}
	if fault, ok := c.hub.faults.take(c.id, func(x Fault) bool { return slices.Contains(x.Late, f.Type()) }); ok {
		raw := f
		c.hub.running.Go(func() {
			select {
			case <-time.After(fault.LateBy):
				c.sending.Lock()
				defer c.sending.Unlock()
				_ = c.transmit(raw) // the device may be gone by then
			case <-c.hub.closing:
			}
		})
		return nil
	}
	return c.transmit(f)
}

// answers reports whether a packet is the SUBACK for a topic filter; an empty
// filter is any packet.
func (c *conn) answers(f mqttwire.Frame, filter string) bool {
	if filter == "" {
		return true
	}
	p, _ := mqttwire.Decode(f, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.asked[p.ID], func(x mqttwire.Filter) bool { return x.Topic == filter })
}

// writeWithin bounds a write to a device that does not read.
const writeWithin = 30 * time.Second

// transmit records a packet and sends it, in this order: the device's answer
// must not be recorded before it.
func (c *conn) transmit(f mqttwire.Frame) error {
	if c.silent.Load() {
		return nil
	}
	p, bad := c.check.Feed(f, false)
	c.packet(p, false, false)
	c.violations(bad)
	_ = c.Conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := c.Conn.Write(f.Raw)
	return err
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
	c.event(Event{Kind: KindPacket, Text: text, Packet: &Packet{
		In: in, Type: p.Type, Name: p.Name, ID: p.ID, QoS: p.QoS, Dup: p.Dup, Retain: p.Retain,
		Topic: p.Topic, Size: p.Size, Malformed: p.Malformed, Withheld: withheld,
	}})
}

func (c *conn) violations(vs []mqttwire.Violation) {
	for _, v := range vs {
		c.event(Event{Kind: KindViolation, Text: v.String(), Violation: &v})
	}
}

func (c *conn) event(e Event) {
	e.Conn, e.Remote = c.id, c.RemoteAddr().String()
	c.mu.Lock()
	e.DeviceID = c.deviceID
	c.mu.Unlock()
	c.hub.events.add(e)
}

// because notes why the connection ends; the first reason stays.
func (c *conn) because(why, fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.fault = why, fault
	}
}

// given notes that the device ended the connection, unless the hub did before.
func (c *conn) given(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.byDevice = why, true
	}
}

// cut ends the connection without a word: TCP closed under TLS, as a hub does
// that has enough.
func (c *conn) cut(why, fault string) {
	c.because(why, fault)
	_ = c.NetConn().Close()
}

// ended is the connection's last event.
func (c *conn) ended(brokerErr error) {
	_ = c.NetConn().Close()
	c.hub.leave(c)
	close(c.gone)
	c.mu.Lock()
	why, fault, takeover, bye := c.why, c.fault, c.takeover, c.bye
	connect, byDevice := c.connect, c.byDevice
	c.mu.Unlock()
	if why == "" {
		why = "ended by the broker"
		if brokerErr != nil {
			why += ": " + brokerErr.Error()
		}
	}
	if connect != nil && connect.ReturnCode == 0 && connect.Will != nil && !bye && !takeover {
		c.will(connect)
	}
	c.violations(c.check.End(time.Now(), bye))
	c.event(Event{Kind: KindDisconnected, Text: why, Fault: fault, ByDevice: byDevice, Takeover: takeover})
}

// leave takes the connection out of the living sessions, if it is one.
func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.deviceID != "" && h.live[c.deviceID] == c {
		delete(h.live, c.deviceID)
	}
}

// will delivers the will of a device that went without DISCONNECT: to the
// telemetry endpoint, marked (Azure: iot-hub-mqtt-support).
func (c *conn) will(connect *Connect) {
	t, err := azure.ParsePublishTopic(c.deviceID, connect.Will.Topic)
	if err != nil || t.Kind != azure.KindEvents {
		return
	}
	now := time.Now()
	props := map[string]string{"iothub-MessageType": "Will"}
	c.event(Event{Kind: KindMessage, At: now, Text: "will of " + c.deviceID, Message: &Message{
		Topic: connect.Will.Topic, Properties: props, System: c.system(now, nil), Will: true, QoS: connect.Will.QoS, Enqueued: now,
	}})
}

var _ net.Conn = (*conn)(nil)

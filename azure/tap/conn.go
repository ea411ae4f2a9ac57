package tap

import (
	"crypto/x509"
	"fmt"
	"net"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/link"
	"hilrig/azure/tlswire"
)

// conn is a connection of the device, with the one to the hub that it is
// carried over.
type conn struct {
	tap    *Tap
	id     int64
	remote string
	raw    *net.TCPConn // the device's
	device net.Conn     // the same, or what shapes it
	o      *tlswire.Observer

	watching atomic.Bool // what passes is read
	silent   atomic.Bool // nothing gets through any more, either way

	order   sync.Mutex // of its events in the record
	shaken  bool       // its handshake is in the record
	over    bool       // its end is
	gone    bool       // the device's side has ended
	paired  bool       // the hub says what comes of it
	fault   string     // that its handshake meets
	reason  string     // that the hub gives for a handshake that failed
	held    []hub.Event
	cutting *hub.Shows // behind a message of the handshake
	session session

	mu       sync.Mutex
	hub      *net.TCPConn // nil until it is dialled
	ended    bool
	why      string
	whyFault string
	byDevice bool // ended it
	byTap    bool
}

func newConn(t *Tap, id int64, device *net.TCPConn) *conn {
	c := &conn{tap: t, id: id, remote: device.RemoteAddr().String(), raw: device, device: device, o: tlswire.NewObserver(nil)}
	c.watching.Store(true)
	return c
}

// serve takes a connection from its beginning to its end.
func (c *conn) serve() {
	defer c.tap.forget(c)
	c.add(hub.Event{Kind: hub.KindAccepted, Text: "connection from " + c.remote})
	if !c.tap.events.Stranger(c.id) { // what is shown is shown to the device
		if f, ok := c.tap.shown.Use(c.id, refuses); ok {
			c.fault = f.Name
			c.reset("refused by the tap", f.Name)
			c.finish()
			return
		}
		c.meet()
	}
	if err := c.dial(); err != nil {
		c.tap.log.Error("the hub behind the tap", "error", err)
		c.tap.missed(err)
		c.reset("the hub behind the tap cannot be reached", "")
		c.finish()
		return
	}
	var back sync.WaitGroup
	back.Go(func() { c.carry(c.device, c.hub, false) })
	c.carry(c.hub, c.device, true)
	back.Wait()
	c.finish()
}

// meet is what is shown to connections that begin now.
func (c *conn) meet() {
	if f, ok := c.tap.shown.Use(c.id, func(f hub.Fault) bool { return !f.Link.IsZero() }); ok {
		c.mu.Lock()
		c.device = link.New(c.raw, f.Link)
		c.mu.Unlock()
	}
	for _, w := range c.tap.shown.To(c.id) {
		if w.CutAfter != 0 {
			c.cutting = w
		}
	}
}

// dial connects to the hub, which is paired with the connection before a byte
// goes either way.
func (c *conn) dial() error {
	h, err := c.tap.dial(c.tap.ctx)
	if err != nil {
		return err
	}
	c.tap.seen()
	c.mu.Lock()
	c.hub = h
	ended := c.ended
	c.mu.Unlock()
	if ended {
		_ = h.Close()
	}
	c.tap.pair(c, h.LocalAddr().String())
	return nil
}

func (c *conn) add(e hub.Event) {
	e.Conn, e.Remote = c.id, c.remote
	c.tap.events.Add(e)
}

// Close shows the connection out, to make room for another.
func (c *conn) Close() error {
	c.decide("closed to make room", "")
	return c.raw.Close()
}

// cut ends the connection without a word.
func (c *conn) cut(why, fault string) {
	c.decide(why, fault)
	c.endBy(false)
}

// reset ends it with a TCP reset on both sides.
func (c *conn) reset(why, fault string) {
	c.decide(why, fault)
	c.endBy(true)
}

// decide notes why the tap ends the connection; the first reason stays.
func (c *conn) decide(why, fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.whyFault, c.byTap = why, fault, true
	}
}

// endBy ends the connection, which is in the record before the device can know.
func (c *conn) endBy(reset bool) {
	c.mu.Lock()
	c.ended = true
	device, far := c.device, c.hub
	c.mu.Unlock()
	c.order.Lock()
	c.shakeFailed()
	if !c.paired {
		c.end()
	}
	c.order.Unlock()
	if reset {
		_ = c.raw.SetLinger(0) // a connection that is gone already needs no reset
	}
	if device != net.Conn(c.raw) {
		_ = c.raw.Close() // what shapes it would wait for what is on the way
	}
	_ = device.Close()
	if far != nil {
		if reset {
			_ = far.SetLinger(0)
		}
		_ = far.Close()
	}
}

func (c *conn) isEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// because notes why a connection ended by itself; the first reason stays.
func (c *conn) because(why string, byDevice bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why, c.byDevice = why, byDevice
	}
}

// finish is the connection's end, once nothing is carried any more.
func (c *conn) finish() {
	c.mu.Lock()
	device, far := c.device, c.hub
	c.mu.Unlock()
	_ = device.Close()
	if far != nil {
		_ = far.Close()
	}
	if shaped, is := device.(*link.Conn); is {
		<-shaped.Over() // what the hub has said before is through; Close ends it at once
	}
	c.order.Lock()
	defer c.order.Unlock()
	c.gone = true
	c.shakeFailed()
	if !c.paired || len(c.held) > 0 {
		c.end()
	}
	c.tap.unpair(c)
}

// end records the connection's end. With order held.
func (c *conn) end() {
	if c.over {
		return
	}
	c.over, c.held = true, nil
	c.mu.Lock()
	e := hub.Event{Kind: hub.KindDisconnected, Text: c.why, Fault: c.whyFault, ByDevice: c.byDevice}
	c.mu.Unlock()
	if s, live := c.tap.events.Session(c.tap.device); live && s.Conn == c.id {
		e.DeviceID = c.tap.device
	}
	c.add(e)
}

// shakeFailed records a handshake that has not come to its end. With order held.
func (c *conn) shakeFailed() {
	if !c.shaken {
		hs := c.handshake()
		hs.Err = c.failed(hs)
		c.shake(hs)
	}
}

// shake records the handshake. With order held.
func (c *conn) shake(hs *hub.Handshake) {
	c.shaken = true
	hs.Fault = c.fault
	c.add(hub.Event{Kind: hub.KindHandshake, Text: hs.Describe(), Handshake: hs, Fault: hs.Fault})
	held := c.held
	c.held = nil
	for _, e := range held {
		c.pass(e)
	}
}

// handshake is what was seen of it so far.
func (c *conn) handshake() *hub.Handshake {
	hs := &hub.Handshake{}
	hs.Observed(c.o)
	if hs.Hello != nil {
		hs.Duration = time.Since(hs.Hello.At)
	}
	if a := c.o.Server(); a != nil {
		hs.Resumed = a.Resumed
	}
	var chain []*x509.Certificate
	for _, der := range c.o.ClientCertificates() {
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			leaf = &x509.Certificate{Raw: der} // it was shown, whoever can read it
		}
		chain = append(chain, leaf)
	}
	hs.Presented(chain)
	return hs
}

// failed says in a line why a handshake did not come to its end.
func (c *conn) failed(hs *hub.Handshake) string {
	if g := c.o.Garbage(); len(g) > 0 && g[0].FromClient {
		return g[0].Text
	}
	c.mu.Lock()
	text := c.why
	if c.reason != "" && !c.byTap {
		text = c.reason
	}
	c.mu.Unlock()
	if hs.Wordless() {
		if n := c.o.Bytes(true); n > 0 {
			return fmt.Sprintf("stopped behind %d bytes of the first TLS record: %s", n, text)
		}
		return "nothing was said: " + text
	}
	if c.reason != "" && text == c.reason {
		return text
	}
	for _, a := range c.o.Alerts() {
		if !a.FromClient && !a.Encrypted {
			text = fmt.Sprintf("the hub sent alert %d %s", a.Number, a.Name)
		}
	}
	if text == "" {
		text = "what was said is no handshake of TLS"
	}
	if n := len(hs.Messages); n > 0 {
		text += " (after " + hs.Messages[n-1].Name + ")"
	}
	return text
}

// refuses reports whether a fault is one of a hub that takes no device for a
// while. A tap cannot say so in MQTT: it resets each connection.
func refuses(f hub.Fault) bool { return f.ReturnCode != 0 || f.NoConnack }

// ofLink reports whether a fault is of the link alone.
func ofLink(f hub.Fault) bool {
	linked := f.CutAfter != 0 || !f.Link.IsZero()
	f.Name, f.Device, f.CutAfter, f.Link = "", "", 0, link.Shape{}
	return linked && reflect.ValueOf(f).IsZero()
}

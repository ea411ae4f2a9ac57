package emulator

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// hub is a TLS server that speaks just enough MQTT, by hand, and notes what it
// is told.
type hub struct {
	t      *testing.T
	ln     net.Listener
	config *tls.Config
	events chan hubEvent

	mu     sync.Mutex
	script script
	wrap   func(net.Conn) net.Conn // what stands between its TLS and TCP
	conns  []net.Conn
}

// script is how the hub behaves.
type script struct {
	silentConnack bool
	connack       byte
	withholdAcks  bool
	noPingresp    bool
	dropAfter     int               // packets; 0: never
	pingDelay     time.Duration     // before PINGRESP
	deaf          bool              // answers nothing at all any more
	inbound       int               // bytes of a message after each SUBSCRIBE; 0: none
	replies       map[string][]byte // to a PUBLISH at QoS 0 whose topic begins so
	connackDelay  time.Duration
}

// hubEvent is a connection, a handshake that failed, or a packet.
type hubEvent struct {
	kind  string // accepted, handshake, failed, packet, closed
	err   error
	state tls.ConnectionState
	hello *tls.ClientHelloInfo
	p     *packet
	at    time.Time
}

func newHub(t *testing.T, cert tls.Certificate, change func(*tls.Config)) *hub {
	t.Helper()
	h := &hub{t: t, events: make(chan hubEvent, 4096)}
	h.config = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert, CipherSuites: hubSuites(), MaxVersion: tls.VersionTLS12}
	if change != nil {
		change(h.config)
	}
	h.listen("127.0.0.1:0")
	return h
}

// newHubAt is a hub that comes back where one was.
func newHubAt(t *testing.T, addr string, config *tls.Config) *hub {
	t.Helper()
	h := &hub{t: t, events: make(chan hubEvent, 4096), config: config}
	h.listen(addr)
	return h
}

func (h *hub) listen(addr string) {
	h.t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.ln = ln
	go h.accept()
	h.t.Cleanup(func() {
		_ = ln.Close()
		h.drop()
	})
}

func (h *hub) addr() string { return h.ln.Addr().String() }

func (h *hub) behave(s script) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.script = s
}

func (h *hub) interpose(wrap func(net.Conn) net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrap = wrap
}

func (h *hub) now() script {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.script
}

// drop cuts every connection.
func (h *hub) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		_ = c.Close()
	}
	h.conns = nil
}

func (h *hub) note(e hubEvent) {
	e.at = time.Now()
	select {
	case h.events <- e:
	default:
	}
}

func (h *hub) accept() {
	for {
		raw, err := h.ln.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		h.conns = append(h.conns, raw)
		h.mu.Unlock()
		h.note(hubEvent{kind: "accepted"})
		go h.serve(raw)
	}
}

func (h *hub) serve(raw net.Conn) {
	defer func() { _ = raw.Close() }()
	config := h.config.Clone()
	var hello *tls.ClientHelloInfo
	config.GetConfigForClient = func(i *tls.ClientHelloInfo) (*tls.Config, error) {
		hello = i
		return nil, nil
	}
	under := raw
	h.mu.Lock()
	if h.wrap != nil {
		under = h.wrap(raw)
	}
	h.mu.Unlock()
	c := tls.Server(under, config)
	if err := c.Handshake(); err != nil {
		h.note(hubEvent{kind: "failed", err: err, hello: hello})
		return
	}
	h.note(hubEvent{kind: "handshake", state: c.ConnectionState(), hello: hello})
	h.note(hubEvent{kind: "closed", err: h.talk(c)})
}

func (h *hub) talk(c net.Conn) error {
	var rest []byte
	buf := make([]byte, 4096)
	for n := 0; ; {
		k, err := c.Read(buf)
		rest = append(rest, buf[:k]...)
		for {
			p, behind, framing := cutPacket(rest)
			if framing != nil {
				return framing
			}
			if p == nil {
				break
			}
			rest = behind
			n++
			h.note(hubEvent{kind: "packet", p: p})
			if s := h.now(); s.dropAfter > 0 && n >= s.dropAfter {
				return errors.New("dropped by the script")
			}
			if err := h.answer(c, p); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

func (h *hub) answer(c net.Conn, p *packet) error {
	s := h.now()
	var out []byte
	switch {
	case s.deaf:
	case p.kind() == kindConnect && !s.silentConnack:
		time.Sleep(s.connackDelay)
		out = []byte{kindConnack << 4, 2, 0, s.connack}
	case p.kind() == kindPublish && p.qos() == 1 && !s.withholdAcks:
		out = append([]byte{kindPuback << 4, 2}, p.id()...)
	case p.kind() == kindPublish && p.qos() == 0:
		topic, _ := topicAndPayload(p)
		for prefix, reply := range s.replies {
			if strings.HasPrefix(topic, prefix) {
				out = append(out, reply...)
			}
		}
	case p.kind() == 8: // SUBSCRIBE
		out = append([]byte{9 << 4, 3}, p.body[0], p.body[1], 1)
		if s.inbound > 0 {
			out = append(out, inbound(s.inbound)...)
		}
	case p.kind() == kindPingreq && !s.noPingresp:
		time.Sleep(s.pingDelay)
		out = []byte{kindPingresp << 4, 0}
	}
	_, err := c.Write(out)
	if err == nil && p.kind() == kindConnect && s.connack != 0 {
		err = io.EOF
	}
	return err
}

// await gives the next event that fits; others before it are passed over.
func (h *hub) await(what string, fits func(hubEvent) bool) hubEvent {
	h.t.Helper()
	e, ok := h.within(10*time.Second, fits)
	if !ok {
		h.t.Fatalf("no %s at the hub", what)
	}
	return e
}

func (h *hub) within(d time.Duration, fits func(hubEvent) bool) (hubEvent, bool) {
	limit := time.After(d)
	for {
		select {
		case e := <-h.events:
			if fits(e) {
				return e, true
			}
		case <-limit:
			return hubEvent{}, false
		}
	}
}

func (h *hub) packet(what string, kind byte) hubEvent {
	h.t.Helper()
	return h.await(what, isPacket(kind))
}

func isPacket(kind byte) func(hubEvent) bool {
	return func(e hubEvent) bool { return e.kind == "packet" && e.p.kind() == kind }
}

func isKind(kind string) func(hubEvent) bool {
	return func(e hubEvent) bool { return e.kind == kind }
}

// connect is a CONNECT taken apart (MQTT 3.1.1, 3.1).
type connect struct {
	protocol         string
	level, flags     byte
	keepAlive        uint16
	id, user, pass   string
	willTopic, extra string
}

func readConnect(t *testing.T, p *packet) connect {
	t.Helper()
	b := p.body
	text := func() string {
		if len(b) < 2 {
			return ""
		}
		n := min(len(b), 2+int(binary.BigEndian.Uint16(b)))
		s := string(b[2:n])
		b = b[n:]
		return s
	}
	c := connect{protocol: text()}
	c.level, c.flags, c.keepAlive = b[0], b[1], binary.BigEndian.Uint16(b[2:])
	b = b[4:]
	if c.level == 5 {
		c.extra, b = string(b[:1]), b[1:]
	}
	c.id = text()
	if c.flags&0x04 != 0 {
		c.willTopic = text()
		_ = text()
	}
	if c.flags&0x80 != 0 {
		c.user = text()
	}
	if c.flags&0x40 != 0 {
		c.pass = text()
	}
	return c
}

// topicAndPayload takes a PUBLISH apart.
func topicAndPayload(p *packet) (string, []byte) {
	n := 2 + int(binary.BigEndian.Uint16(p.body))
	topic, rest := string(p.body[2:n]), p.body[n:]
	if p.qos() > 0 {
		rest = rest[2:]
	}
	return topic, rest
}

// inbound is a message to the device with QoS 1 and packet id 7.
func inbound(size int) []byte {
	const topic = "devices/NewDevice/messages/devicebound/"
	p := &packet{head: kindPublish<<4 | 2, body: append(vector(2, []byte(topic)), 0, 7)}
	p.body = append(p.body, make([]byte, size)...)
	return p.bytes()
}

package localhub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"hilrig/azure/localhub/link"
	"hilrig/azure/localhub/tlswire"
)

// Fault is something wrong that the hub shows to its device. Zero fields leave
// the hub's ordinary behaviour; several faults may be shown at once.
type Fault struct {
	Name   string
	Device string // the only one that it is shown to; empty: to all. Before CONNECT a device is known by the address it came from last

	Link link.Shape // of connections that begin from now on; the first of several counts

	// TLS
	Certificate *tls.Certificate // shown instead of the hub's own
	Version     uint16           // the only version taken
	Suites      []uint16         // the only suites taken
	RequireSNI  bool             // no server name: handshake refused
	CutAfter    byte             // cut the connection once this handshake message was seen: 1 ClientHello, 2 ServerHello, 11 Certificate
	RecordSize  int              // most bytes in a TLS record the hub sends
	ByteEvery   time.Duration    // one byte at a time, this far apart, in the handshake

	// session
	ReturnCode   byte // of the CONNACK, which is then a refusal
	NoConnack    bool
	Drop         bool          // cut the connection DropAfter its CONNACK
	DropAfter    time.Duration // 0: at once
	Linger       time.Duration // after a refusal: how long the connection stays open, to see what the device does with it
	TakeOver     bool          // with Drop: as if a newer session of the id had come
	ForgetBefore bool          // the stored session is gone: session present 0
	ClaimSession bool          // session present 1, whether there is one or not

	// messages
	RefuseMessages bool // telemetry ends the connection, as throttling does
	Twice          bool // what goes to the device goes twice, the second time with DUP
	Greet          int  // bytes of a message, its id counted, that a session gets as soon as it listens

	// twin
	TwinStatus int // the answer to every twin request, such as 429

	// packets
	Withhold []byte // packet types to the device that are kept back
	Filter   string // of SUBACKs: only those for this topic filter
	Late     []byte // packet types to the device that are delayed by LateBy
	LateBy   time.Duration

	AuthMethod string // that the hub says messages came by, instead of X.509 (a rig's fault)
}

// DropAfterConnack cuts a session d after its CONNACK.
func DropAfterConnack(d time.Duration) Fault {
	return Fault{Name: "drop-after-connack", Drop: true, DropAfter: d}
}

// DropEvery cuts every session d after its CONNACK, as long as it is shown.
func DropEvery(d time.Duration) Fault {
	return Fault{Name: "drop-every-" + d.String(), Drop: true, DropAfter: d}
}

// TakenOver ends a session d after its CONNACK as if the same identity had
// connected elsewhere (Azure: 400027 ConnectionForcefullyClosedOnNewConnection).
func TakenOver(d time.Duration) Fault {
	return Fault{Name: "taken-over", Drop: true, DropAfter: d, TakeOver: true}
}

// Throttled is a hub over its quota: twin requests get 429, telemetry ends the
// connection, because MQTT has no error packet (Azure: iot-hub-mqtt-support,
// iot-hub-devguide-quotas-throttling).
func Throttled() Fault { return Fault{Name: "throttled", TwinStatus: 429, RefuseMessages: true} }

// Refuse answers CONNECT with a return code (MQTT 3.1.1 section 3.2.2.3).
func Refuse(code byte) Fault { return Fault{Name: fmt.Sprintf("connack-%d", code), ReturnCode: code} }

// NoConnack leaves a CONNECT without an answer.
func NoConnack() Fault { return Fault{Name: "no-connack", NoConnack: true} }

// Withhold keeps packets of one type back: mqttwire.PUBACK, SUBACK, PINGRESP.
func Withhold(name string, packetType byte) Fault {
	return Fault{Name: name, Withhold: []byte{packetType}}
}

// OnlyVersion takes one TLS version and no other.
func OnlyVersion(v uint16) Fault {
	return Fault{Name: "only-" + tlswire.VersionName(v), Version: v}
}

func (f Fault) isTLS() bool {
	return f.Certificate != nil || f.Version != 0 || f.Suites != nil || f.RequireSNI || f.CutAfter != 0 || f.RecordSize != 0 || f.ByteEvery != 0
}

// shape makes a handshake's configuration and wire those of the fault; met is
// called before the device can know of a cut, so that its next connection does
// not meet the fault once more.
func (f Fault) shape(c *tls.Config, wire net.Conn, o *tlswire.Observer, met func()) net.Conn {
	if f.Certificate != nil {
		c.Certificates = []tls.Certificate{*f.Certificate}
	}
	if f.Version != 0 {
		c.MinVersion, c.MaxVersion = f.Version, f.Version
		if f.Version < tls.VersionTLS12 {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}
	}
	if f.Suites != nil {
		c.CipherSuites = f.Suites
	}
	if f.RequireSNI {
		own := c.Certificates
		c.Certificates = nil
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				return nil, errors.New("no server name in the ClientHello")
			}
			return &own[0], nil
		}
	}
	if f.CutAfter != 0 || f.RecordSize != 0 || f.ByteEvery != 0 {
		return &shaped{Conn: wire, fault: f, o: o, met: met}
	}
	return wire
}

// Showing is a fault while it is shown.
type Showing struct {
	fault Fault
	set   *faults

	mu    sync.Mutex
	left  int // showings to go; negative: until lifted
	shown int
}

// faults is what a hub shows at present.
type faults struct {
	hub *Hub
	aim *aim
	mu  sync.Mutex
	all []*Showing
}

// Show shows a fault to connections that begin from now on, and to packets from
// now on: so many times, or until lifted where times is 0. Every showing is an
// event, so that a spec can prove that the device met it.
func (h *Hub) Show(f Fault, times int) *Showing {
	if times <= 0 {
		times = -1
	}
	s := &Showing{fault: f, set: h.faults, left: times}
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.all = append(slices.Clone(h.faults.all), s)
	return s
}

// Showing reports whether the hub shows any fault at present.
func (h *Hub) Showing() bool {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	return len(h.faults.all) > 0
}

// Lift ends the fault; more than once is no error.
func (s *Showing) Lift() {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	s.set.all = slices.DeleteFunc(slices.Clone(s.set.all), func(x *Showing) bool { return x == s })
}

// Count is how often it was shown.
func (s *Showing) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// forConnection are the faults that are now shown to a connection.
func (f *faults) forConnection(conn int64) []*Showing {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	if !slices.ContainsFunc(all, func(s *Showing) bool { return s.fault.Device != "" }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(s *Showing) bool { return !f.aim.concerns(conn, s.fault.Device) })
}

// count notes a showing; false where the fault has been shown often enough.
func (s *Showing) count(conn int64) bool {
	s.mu.Lock()
	if s.left == 0 {
		s.mu.Unlock()
		return false
	}
	if s.left > 0 {
		s.left--
	}
	s.shown++
	last := s.left == 0
	n := s.shown
	s.mu.Unlock()
	if last {
		s.Lift()
	}
	s.set.hub.events.add(Event{Kind: KindFaultShown, Conn: conn, Fault: s.fault.Name, Text: s.fault.text(n)})
	return true
}

// text is what the event of its nth showing says.
func (f Fault) text(n int) string {
	text := fmt.Sprintf("shown: %s (%d)", f.Name, n)
	if !f.Link.IsZero() {
		text += ": " + f.Link.String()
	}
	return text
}

// take finds the first fault now shown that fits, and counts it.
func (f *faults) take(conn int64, fits func(Fault) bool) (Fault, bool) {
	for _, s := range f.forConnection(conn) {
		if fits(s.fault) && s.count(conn) {
			return s.fault, true
		}
	}
	return Fault{}, false
}

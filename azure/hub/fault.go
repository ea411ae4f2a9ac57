package hub

import (
	"crypto/tls"
	"fmt"
	"hilrig/azure/link"
	"hilrig/azure/tlswire"
	"time"
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
	FirstDelivery  int  // bytes of a message, its id counted, that a session gets as soon as it listens

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

// OnlySuite takes one cipher suite of TLS 1.2 and no other.
func OnlySuite(suite uint16) Fault {
	return Fault{Name: "only-" + tlswire.SuiteName(suite), Suites: []uint16{suite}}
}

// TLS reports whether a device meets the fault in its handshake, before CONNECT.
func (f Fault) TLS() bool {
	return f.Certificate != nil || f.Version != 0 || f.Suites != nil || f.RequireSNI || f.CutAfter != 0 || f.RecordSize != 0 || f.ByteEvery != 0
}

// Shown is what the event of its nth showing says.
func (f Fault) Shown(n int) string {
	text := fmt.Sprintf("shown: %s (%d)", f.Name, n)
	if !f.Link.IsZero() {
		text += ": " + f.Link.String()
	}
	return text
}

// BadLink shapes the link of connections that begin from now on.
func BadLink(name string, s link.Shape) Fault { return Fault{Name: name, Link: s} }

// Names of what the hub does to a connection or to itself; they are the Fault
// of the events that come of it.
const (
	OutageReset    = "reset"
	OutageSilence  = "black-hole"
	OutageDown     = "hub-down"
	OutageTakeOver = "take-over"
)

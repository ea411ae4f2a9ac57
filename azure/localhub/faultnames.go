package localhub

import (
	"crypto/tls"
	"hilrig/azure/hub"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/link"
	"hilrig/azure/mqttwire"
)

// NamedFault is a row of the table of faults.
type NamedFault struct {
	hub.Fault
	Shows string                             // what a device meets, in a line for people
	Now   func(h *Hub, deviceID string) bool // done once to a living session, instead of being shown; reports whether there was one
	Away  bool                               // the hub goes away ([Hub.Down]) until it is lifted ([Hub.Up]), instead of being shown
}

// NamedFaults are those that can be shown as they are, with what their names
// mean. The hub shows more: any server certificate, any one suite, any delay.
func NamedFaults() []NamedFault {
	second := time.Second
	row := func(f hub.Fault, shows string) NamedFault { return NamedFault{Fault: f, Shows: shows} }
	named := func(f hub.Fault, name, shows string) NamedFault { f.Name = name; return row(f, shows) }
	at := func(name, shows string, now func(*Hub, string) bool) NamedFault {
		return NamedFault{Fault: hub.Fault{Name: name}, Shows: shows, Now: now}
	}
	return []NamedFault{
		// protocol
		row(hub.OnlyVersion(tls.VersionTLS10), "a server that speaks TLS 1.0 alone"),
		row(hub.OnlyVersion(tls.VersionTLS11), "a server that speaks TLS 1.1 alone"),
		row(hub.OnlySuite(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), "a server that takes this cipher suite alone"),
		row(hub.OnlySuite(tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384), "a server that takes this cipher suite alone"),
		row(hub.OnlySuite(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256), "a server that takes this cipher suite alone"),
		named(hub.Fault{RequireSNI: true}, "require-sni", "a handshake without a server name is refused"),
		// handshake
		named(hub.Fault{CutAfter: 1}, "cut-after-client-hello", "the connection is cut behind its ClientHello"),
		named(hub.Fault{CutAfter: 2}, "cut-after-server-hello", "the connection is cut behind the ServerHello"),
		named(hub.Fault{CutAfter: 11}, "cut-after-certificate", "the connection is cut behind the certificate"),
		named(hub.Fault{CutAfter: 14}, "cut-after-server-hello-done", "the connection is cut behind the ServerHelloDone"),
		named(hub.Fault{CutAfter: 16}, "cut-after-client-key-exchange", "the connection is cut behind the ClientKeyExchange"),
		named(hub.Fault{RecordSize: 1}, "one-byte-records", "the hub's handshake in TLS records of one byte"),
		named(hub.Fault{RecordSize: 256}, "small-records", "the hub's handshake in TLS records of 256 bytes at most"),
		named(hub.Fault{ByteEvery: time.Millisecond}, "slow-handshake", "the hub's handshake a byte a millisecond"),
		// link
		row(hub.BadLink("link-latency", link.Shape{Latency: 300 * time.Millisecond, Jitter: 50 * time.Millisecond}), "every byte 300 ms late, 50 ms more or less"),
		row(hub.BadLink("link-bandwidth", link.Shape{Rate: 5000}), "5,000 bytes a second"),
		row(hub.BadLink("link-stalls", link.Shape{Stalls: link.Stalls{First: 8, Every: 50, For: second}}), "a link that stands still for a second now and then"),
		row(hub.BadLink("link-cut", link.Shape{End: link.Cut, After: second}), "a link that is cut after a second"),
		row(hub.BadLink("link-cut-inside", link.Shape{End: link.Cut, Bytes: 1000}), "a link that is cut behind 1,000 bytes, inside the handshake"),
		row(hub.BadLink("link-black-hole", link.Shape{End: link.BlackHole, After: second}), "a link on which nothing gets through after a second"),
		row(hub.BadLink("link-black-hole-to-device", link.Shape{End: link.BlackHole, Way: link.ToDevice, After: second}), "the same, but only what goes to the device is lost"),
		row(hub.BadLink("link-black-hole-to-hub", link.Shape{End: link.BlackHole, Way: link.ToHub, After: second}), "the same, but only what goes to the hub is lost"),
		row(hub.BadLink("link-reset", link.Shape{End: link.Reset, After: second}), "a link that is reset after a second"),
		// session
		row(hub.NoConnack(), "CONNECT stays without an answer"),
		row(hub.Refuse(1), "CONNACK 1, unacceptable protocol version"), row(hub.Refuse(2), "CONNACK 2, identifier rejected"),
		row(hub.Refuse(3), "CONNACK 3, server unavailable"), row(hub.Refuse(4), "CONNACK 4, bad user name or password"),
		row(hub.Refuse(5), "CONNACK 5, not authorized"),
		row(hub.DropAfterConnack(0), "the session is cut behind its CONNACK"),
		row(hub.DropEvery(10*second), "every session is cut after 10 s; "+dropEvery+"1m30s and the like are taken too"),
		row(hub.TakenOver(5*second), "the session ends after 5 s as if another device of its id had come"),
		named(hub.Fault{ForgetBefore: true}, "session-forgotten", "the stored session is gone: session present 0"),
		named(hub.Fault{ClaimSession: true}, "session-claimed", "session present 1, whether there is one or not"),
		// messages
		row(hub.Throttled(), "twin requests get 429, telemetry ends the connection"),
		named(hub.Fault{Twice: true}, "dup-delivery", "what goes to the device goes twice, then with DUP"),
		named(hub.Fault{FirstDelivery: azure.MaxCloudToDevice}, "large-delivery", "a message of 64 kB as soon as the device listens"),
		// packets
		row(hub.Withhold("no-puback", mqttwire.PUBACK), "telemetry is not acknowledged"),
		row(hub.Withhold("no-suback", mqttwire.SUBACK), "subscriptions are not acknowledged"),
		row(hub.Withhold("no-pingresp", mqttwire.PINGRESP), "pings are not answered"),
		named(hub.Fault{Late: []byte{mqttwire.PINGRESP}, LateBy: second}, "late-pingresp", "pings are answered a second late"),
		// a living session
		at(hub.OutageReset, "its session is reset, now", (*Hub).Reset),
		at(hub.OutageSilence, "its session becomes a black hole, now", (*Hub).Silence),
		at(hub.OutageTakeOver, "its session ends as if another device of its id had come, now", (*Hub).TakeOver),
		at("drop", "its session is cut without a word, now", (*Hub).Drop),
		// the hub itself
		{Fault: hub.Fault{Name: hub.OutageDown}, Shows: "the hub goes away, for all devices: its port is closed, until it is lifted", Away: true},
	}
}

// dropEvery begins the names of a kind of fault with a time in it.
const dropEvery = "drop-every-"

// FaultName is a name as people may write it: case does not count, and a dash
// stands for a blank.
func FaultName(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// FaultNamed finds a row of the table.
func FaultNamed(name string) (NamedFault, bool) {
	name = FaultName(name)
	for _, f := range NamedFaults() {
		if FaultName(f.Name) == name {
			return f, true
		}
	}
	if text, ok := strings.CutPrefix(name, dropEvery); ok {
		if d, err := time.ParseDuration(text); err == nil && d > 0 {
			return NamedFault{Fault: hub.DropEvery(d)}, true
		}
	}
	return NamedFault{}, false
}

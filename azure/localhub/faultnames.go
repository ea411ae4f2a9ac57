package localhub

import (
	"crypto/tls"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub/link"
	"hilrig/azure/localhub/mqttwire"
)

// Faults are those that can be shown as they are. The hub shows more: any
// server certificate, any one suite, any delay.
func Faults() []Fault {
	second := time.Second
	return []Fault{
		// protocol
		OnlyVersion(tls.VersionTLS10), OnlyVersion(tls.VersionTLS11),
		{Name: "require-sni", RequireSNI: true},
		// handshake
		{Name: "cut-after-client-hello", CutAfter: 1}, {Name: "cut-after-server-hello", CutAfter: 2}, {Name: "cut-after-certificate", CutAfter: 11},
		{Name: "one-byte-records", RecordSize: 1},
		{Name: "slow-handshake", ByteEvery: time.Millisecond},
		// link
		BadLink("link-latency", link.Shape{Latency: 300 * time.Millisecond, Jitter: 50 * time.Millisecond}),
		BadLink("link-bandwidth", link.Shape{Rate: 5000}),
		BadLink("link-stalls", link.Shape{Stalls: link.Stalls{First: 8, Every: 50, For: second}}),
		BadLink("link-cut", link.Shape{End: link.Cut, After: second}),
		BadLink("link-black-hole", link.Shape{End: link.BlackHole, After: second}),
		BadLink("link-reset", link.Shape{End: link.Reset, After: second}),
		// session
		NoConnack(), Refuse(1), Refuse(2), Refuse(3), Refuse(4), Refuse(5),
		DropAfterConnack(0), DropEvery(10 * second), TakenOver(5 * second),
		{Name: "session-forgotten", ForgetBefore: true}, {Name: "session-claimed", ClaimSession: true},
		// messages
		Throttled(), {Name: "dup-delivery", Twice: true}, {Name: "large-delivery", Greet: azure.MaxCloudToDevice},
		// packets
		Withhold("no-puback", mqttwire.PUBACK), Withhold("no-suback", mqttwire.SUBACK), Withhold("no-pingresp", mqttwire.PINGRESP),
		{Name: "late-pingresp", Late: []byte{mqttwire.PINGRESP}, LateBy: second},
	}
}

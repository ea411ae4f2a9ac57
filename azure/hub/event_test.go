package hub_test

import (
	"crypto/x509"
	"testing"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/azure/tlswire"
)

// What a PUBLISH carries is what is left of its size, whatever its topic, its
// QoS and the length of its length.
func TestABodyIsWhatIsLeftOfAPublish(t *testing.T) {
	for _, topic := range []string{"a", "devices/dut-1/messages/events/a=b&c=d"} {
		for _, qos := range []byte{0, 1} {
			around := 2 + len(topic) + 2*int(qos)
			for _, rest := range []int{around, 127, 128, 129, 16383, 16384, 16385, 262144, 2097151, 2097152} {
				body := max(0, rest-around)
				wire := len(mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: topic, QoS: qos, ID: 7, Payload: make([]byte, body)}.AppendTo(nil))
				p := hub.Packet{Type: mqttwire.PUBLISH, Topic: topic, QoS: qos, Size: wire}
				if got := p.Body(); got != body {
					t.Errorf("%s, QoS %d, %d bytes on the wire: %d, want %d", topic, qos, wire, got, body)
				}
			}
		}
	}
	if got := (&hub.Packet{Size: 2}).Body(); got != 0 {
		t.Errorf("of a packet without one: %d", got)
	}
}

// A device that shows no certificate may not have been asked for one: the
// handshake that came to its end without a request says so.
func TestUnasked(t *testing.T) {
	request := tlswire.Message{Type: 13, Name: "certificate_request"}
	for _, c := range []struct {
		name string
		hs   hub.Handshake
		want bool
	}{
		{"asked, and showed none", hub.Handshake{OK: true, Messages: []tlswire.Message{request}}, false},
		{"asked, and showed one", hub.Handshake{OK: true, Messages: []tlswire.Message{request}, Certificates: []*x509.Certificate{{}}}, false},
		{"not asked", hub.Handshake{OK: true, Messages: []tlswire.Message{{Type: 2}}}, true},
		{"ended before it could be asked", hub.Handshake{Messages: []tlswire.Message{{Type: 1}}}, false},
	} {
		if got := c.hs.Unasked(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

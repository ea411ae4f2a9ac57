package session

import (
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
)

// A statement that is broken again and again is told once: with its packet, the
// moment of the first, and how often.
func TestToldOnce(t *testing.T) {
	begin := time.Now()
	v := func(statement, packet, text string, after time.Duration) hub.Event {
		return hub.Event{Kind: hub.KindViolation, Violation: &mqttwire.Violation{Statement: statement, Packet: packet, Text: text, At: begin.Add(after)}}
	}
	got := told([]hub.Event{
		v("[MQTT-2.3.1-1]", "PUBLISH", "packet identifier is 0", 1500*time.Millisecond),
		v("[MQTT-3.1.0-2]", "CONNECT", "is the second on this connection", 2*time.Second),
		v("[MQTT-2.3.1-1]", "PUBLISH", "packet identifier is 0", 3*time.Second),
	}, func(at time.Time) float64 { return at.Sub(begin).Seconds() })
	want := []string{
		"[MQTT-2.3.1-1] PUBLISH at 1.500 s: packet identifier is 0 (2 times)",
		"[MQTT-3.1.0-2] CONNECT at 2.000 s: is the second on this connection",
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%q", got)
	}
}

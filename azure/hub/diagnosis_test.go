package hub

import (
	"strings"
	"testing"
)

var place = Place{
	DeviceID: "d", Name: "hub.rig", Addr: "hub.rig:8883", Timeline: true,
	SetBoth: "device_id and hub.host of the rig file", SetName: "hub.host of the rig",
}

// What is most often wrong at a bench is named, from what the hub saw.
func TestTheCommonestMistakesAreNamed(t *testing.T) {
	refused := func(alert byte, name, dialled string) Event {
		return Event{Kind: KindHandshake, Handshake: &Handshake{
			ServerName: dialled, Alert: &Alert{Level: 2, Number: alert, Name: name},
		}}
	}
	for name, c := range map[string]struct {
		events     []Event
		text, look string
	}{
		"port":         {nil, "no connection at hub.rig:8883", "port"},
		"root":         {[]Event{refused(48, "unknown_ca", "hub.rig")}, "root", "slot 10"},
		"clock":        {[]Event{refused(42, "bad_certificate", "HUB.rig")}, "clock", "clock set"},
		"clock, mbed":  {[]Event{refused(46, "certificate_unknown", "hub.rig")}, "clock", "clock set"},
		"name":         {[]Event{refused(42, "bad_certificate", "other.rig")}, "it dials other.rig, and this hub is hub.rig", "other.rig"},
		"nobody knows": {[]Event{refused(42, "bad_certificate", "")}, "bad_certificate", "clock set"},
		"closed by the hub": {[]Event{
			{Kind: KindConnect, Connect: &Connect{}},
			{Kind: KindDisconnected, Refused: true, Text: "illegal packet: PUBLISH with packet id 0"},
		}, "the hub ended 1 of the connections for what the device sent, the last for: illegal packet: PUBLISH with packet id 0", "the packet at that moment"},
		"client id": {[]Event{
			{Kind: KindHandshake, Handshake: &Handshake{OK: true}},
			{Kind: KindConnect, Connect: &Connect{ReturnCode: 2}, Text: "client id other is not the device's"},
		}, "1 CONNECT refused: client id other", "against device_id and hub.host of the rig file"},
		"another protocol":      {[]Event{{Kind: KindHandshake, Handshake: &Handshake{OK: true}}}, "1 handshakes completed, but no CONNECT", "HTTPS or AMQP"},
		"versions":              {[]Event{{Kind: KindHandshake, Handshake: &Handshake{Err: "no version in common", Garbage: true}}}, "1 TLS handshakes failed, the last: no version in common", "ClientHello"},
		"a port that is probed": {[]Event{{Kind: KindHandshake, Handshake: &Handshake{}}}, "never began TLS", "Use SSL"},
		"tells nothing": {[]Event{
			{Kind: KindConnect, Connect: &Connect{}}, {Kind: KindDisconnected, Text: "the device closed the connection"},
		}, "1 sessions, no telemetry; last disconnect: the device closed", "told to publish"},
		"fell silent":   {[]Event{{Kind: KindConnect, Connect: &Connect{}}, {Kind: KindMessage, Message: &Message{}}}, "1 sessions and 1 messages", "the device's log"},
		"no TLS at all": {[]Event{{Kind: KindPacket}}, "never began TLS", "Use SSL"},
	} {
		t.Run(name, func(t *testing.T) {
			v := NewEvents("d", 0)
			if len(c.events) > 0 {
				v.Add(Event{Kind: KindAccepted, Conn: 1, Remote: "192.0.2.7:40000"})
			}
			for _, e := range c.events {
				e.Conn, e.Remote = 1, "192.0.2.7:40000"
				v.Add(e)
			}
			s := v.Diagnose(0, place)
			if !strings.Contains(s.Text, c.text) || !strings.Contains(s.Look, c.look) || s.Came != (len(c.events) > 0) {
				t.Errorf("text %q, look %q, came %v", s.Text, s.Look, s.Came)
			}
			elsewhere := place
			elsewhere.Timeline = false
			if s := v.Diagnose(0, elsewhere); strings.Contains(s.Look, "timeline") || !strings.Contains(s.Text, c.text) {
				t.Errorf("without a timeline: text %q, look %q", s.Text, s.Look)
			}
		})
	}
}

// What was before the mark is not told again: a device that was here and does
// not come back has another reason than one that never came.
func TestOnlyWhatIsSinceTheMarkIsTold(t *testing.T) {
	v := NewEvents("d", 0)
	v.Add(Event{Kind: KindAccepted, Conn: 1, Remote: "192.0.2.7:40000"})
	v.Add(Event{Kind: KindConnect, Conn: 1, Remote: "192.0.2.7:40000", DeviceID: "d", Connect: &Connect{ClientID: "d"}})
	mark := v.Mark()
	v.Add(Event{Kind: KindMessage, Conn: 1, Remote: "192.0.2.7:40000", DeviceID: "d", Message: &Message{}})
	if s := v.Diagnose(mark, place); s.Text != "the session up and 1 messages" || !s.Came {
		t.Errorf("still there: %+v", s)
	}
	v.Add(Event{Kind: KindDisconnected, Conn: 1, Remote: "192.0.2.7:40000", DeviceID: "d"})
	mark = v.Mark()
	if s := v.Diagnose(mark, place); s.Text != "no connection at hub.rig:8883" || !strings.Contains(s.Look, "because it was here before") || s.Came {
		t.Errorf("gone: %+v", s)
	}
}

// A stranger that looks in is not the device, nor what keeps it away: the
// address that got furthest is told of.
func TestAStrangerIsNotTheDevice(t *testing.T) {
	v := NewEvents("d", 0)
	v.Add(Event{Kind: KindAccepted, Conn: 1, Remote: "192.0.2.7:40000"})
	v.Add(Event{Kind: KindHandshake, Conn: 1, Remote: "192.0.2.7:40000", Handshake: &Handshake{ServerName: "hub.rig", Alert: &Alert{Level: 2, Number: 48, Name: "unknown_ca"}}})
	for conn := range int64(5) {
		v.Add(Event{Kind: KindAccepted, Conn: 2 + conn, Remote: "198.51.100.9:50000"})
	}
	if s := v.Diagnose(0, place); !strings.Contains(s.Text, "refused by the device with alert 48") {
		t.Errorf("%+v", s)
	}
}

package hub

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// Diagnosis is what the hub saw of the device over a stretch of events, in a
// line, with the first thing to look at.
type Diagnosis struct {
	Text, Look string
	At         time.Time // of the event that the text is about; zero: there was none
	Came       bool      // somebody connected who may be the device
}

// Place is a hub as its device is told of it, with the words for where a person
// has set that.
type Place struct {
	DeviceID, Name string
	Addr           string // name and port
	SetBoth        string // what sets device id and name: "device_id and hub.host of the rig file"
	SetName        string // what sets the name: "hub.host of the rig"
	Timeline       bool   // one is kept, which a person can look into
}

// inTimeline is what to look at there; nothing where none is kept.
func (p Place) inTimeline(look string) string {
	if !p.Timeline {
		return ""
	}
	return look
}

// Diagnose says what the device did since the mark: the evidence behind every
// "did not connect". What strangers do is passed over.
func (v *Events) Diagnose(from int, p Place) Diagnosis {
	before, events := v.split(from)
	t := v.tallyOf(events, p)
	if _, live := v.Session(p.DeviceID); live && t.sessions == 0 && t.refused == 0 && t.failed == 0 {
		return Diagnosis{Text: fmt.Sprintf("the session up and %d messages", t.messages),
			Look: "does the firmware still publish? its log on the console", At: t.last, Came: true}
	}
	if v.byArrivals() {
		return t.heard(before)
	}
	if t.accepted == 0 && before {
		return Diagnosis{Text: "no connection at " + p.Addr,
			Look: "the firmware's reconnect, because it was here before: what ends it, and does its delay grow without a ceiling? Its log on the console from here on"}
	}
	d := t.diagnosis()
	d.Came = t.accepted > 0
	return d
}

// split is the events since the mark without those of strangers, and whether
// the device was connected at some time before it.
func (v *Events) split(from int) (before bool, since []Event) {
	its := map[int64]bool{0: true} // the hub's own
	for _, e := range v.Since(0) {
		mine, known := its[e.Conn]
		if !known {
			mine = v.Proof(e.Conn) > ProofNone
			its[e.Conn] = mine
		}
		switch {
		case !mine:
		case e.Seq >= from:
			since = append(since, e)
		case e.Kind == KindAccepted, e.Connect != nil && e.Connect.Inferred:
			before = true
		}
	}
	return before, since
}

// tallyOf adds up what came from the device. As long as it has not proven
// itself, that is what came from the address that got furthest: others may be
// strangers that look in.
func (v *Events) tallyOf(events []Event, p Place) *tally {
	tallies := map[string]*tally{}
	best := &tally{hub: p}
	for _, e := range events {
		at, _, _ := net.SplitHostPort(e.Remote) // events of the hub itself have none
		if v.Proof(e.Conn) > ProofPossible {
			at = ""
		}
		t := tallies[at]
		if t == nil {
			t = &tally{hub: p}
			tallies[at] = t
		}
		t.add(e)
		if t.progress() >= best.progress() {
			best = t
		}
	}
	return best
}

type tally struct {
	accepted, wordless, failed, done, refused, sessions, messages int
	unproven                                                      bool // the last one that failed showed a certificate and did not prove its key
	rejected                                                      int  // connections that the hub ended for what the device sent
	handshake, refusal, dropped, rejection                        string
	dialled                                                       string // in the last failed handshake
	hub                                                           Place
	alert                                                         *Alert
	last, lastFailed, lastRefused, lastRejected                   time.Time // connection, session or message; failed handshake; refusal; connection that was ended
}

// progress is how far on its way to a message somebody came.
func (t *tally) progress() int {
	switch {
	case t.sessions+t.messages > 0:
		return 5
	case t.refused > 0:
		return 4
	case t.done > 0:
		return 3
	case t.failed > 0:
		return 2
	case t.accepted > 0:
		return 1
	}
	return 0
}

func (t *tally) add(e Event) {
	switch e.Kind {
	case KindAccepted:
		t.accepted++
		t.last = e.At
	case KindHandshake:
		t.addHandshake(e)
	case KindConnect:
		if e.Accepted() {
			t.sessions++
			t.last = e.At
			return
		}
		t.refused++
		t.lastRefused = e.At
		t.refusal = e.Text
	case KindMessage:
		t.messages++
		t.last = e.At
	case KindDisconnected:
		t.dropped, t.last = e.Text, e.At
		if e.Refused {
			t.rejected++
			t.rejection, t.lastRejected = e.Text, e.At
		}
	}
}

func (t *tally) addHandshake(e Event) {
	h := e.Handshake
	switch {
	case h == nil:
	case h.OK:
		t.done++
	case h.Wordless():
		t.wordless++
	default:
		t.failed++
		t.lastFailed = e.At
		t.handshake, t.alert, t.dialled = h.Err, h.Alert, h.ServerName
		t.unproven = h.Unproven()
	}
}

// cures says what a TLS alert of the device usually means.
var cures = map[byte]string{
	43:  "the device does not take this kind of certificate",
	48:  "the root in slot 10 does not sign this hub's certificate: load the root of the hub that the device dials",
	70:  "device and hub share no TLS version: the hub wants 1.2",
	40:  "device and hub agree on no cipher suite or signature",
	116: "the hub asked for a certificate and got none: are slots 20 and 30 loaded?",
}

// cureOf is what to look at first when the device sent an alert. Stacks that
// find a certificate wrong in time say bad, expired or unknown, as they do for
// a wrong name: whether the name was right the ClientHello tells.
func cureOf(alert byte, dialled string, p Place) string {
	switch {
	case !inTime(alert):
		return cures[alert]
	case dialled == "":
		return "is the device's clock set, is the root in slot 10 this hub's, and does the device dial the hub by its name " + p.Name + "?"
	case !strings.EqualFold(dialled, p.Name):
		return fmt.Sprintf("the device dials %s, and this hub's name is %s: the broker in its MQTT parameters, or %s", dialled, p.Name, p.SetName)
	}
	return "is the device's clock set? It dials the right name; failing that, is the root in slot 10 this hub's?"
}

// inTime reports whether an alert is one that a certificate wrong in time may
// get: bad_certificate, certificate_expired, certificate_unknown, access_denied.
func inTime(alert byte) bool { return alert == 42 || alert == 45 || alert == 46 || alert == 49 }

// meaning is what an alert says beyond its name, where that is certain enough
// to stand beside what was seen.
func meaning(alert byte, dialled, name string) string {
	switch {
	case alert == 48:
		return ": the root that it goes by does not sign this hub's certificate"
	case inTime(alert) && strings.EqualFold(dialled, name):
		return ", though it dials the right name: its clock may not be set"
	case inTime(alert) && dialled != "":
		return ": it dials " + dialled + ", and this hub is " + name
	}
	return ""
}

func (t *tally) diagnosis() Diagnosis {
	switch {
	case t.accepted == 0:
		return Diagnosis{Text: "no connection at " + t.hub.Addr,
			Look: "does the device dial " + t.hub.Addr + " (broker address and port in its MQTT parameters), has it a network, must it be restarted (commands.after_provision, commands.reboot)?"}
	case t.refused > 0 && t.sessions == 0:
		return Diagnosis{Text: fmt.Sprintf("%d CONNECT refused: %s", t.refused, t.refusal),
			Look: "Client ID and User Name in the device's MQTT parameters, against " + t.hub.SetBoth, At: t.lastRefused}
	case t.done == 0 && t.failed > 0:
		return t.ofHandshakes()
	case t.sessions == 0 && t.done > 0:
		return Diagnosis{Text: fmt.Sprintf("%d handshakes completed, but no CONNECT", t.done),
			Look: "the firmware between TLS and MQTT: does it close the connection itself, does it take the port for HTTPS or AMQP?", At: t.last}
	case t.sessions > 0 && t.rejected > 0:
		return Diagnosis{Text: fmt.Sprintf("%d sessions and %d messages; the hub ended %d of the connections for what the device sent, the last for: %s", t.sessions, t.messages, t.rejected, t.rejection),
			Look: t.hub.inTimeline("the packet at that moment in the timeline: IoT Hub has no other word for no than to end the connection"), At: t.lastRejected}
	case t.sessions > 0 && t.messages == 0:
		return Diagnosis{Text: fmt.Sprintf("%d sessions, no telemetry%s", t.sessions, after(t.dropped)),
			Look: "is the device told to publish, and to devices/<id>/messages/events/?", At: t.last}
	case t.sessions > 0:
		return Diagnosis{Text: fmt.Sprintf("%d sessions and %d messages%s", t.sessions, t.messages, after(t.dropped)),
			Look: t.hub.inTimeline("the timeline from the last of them on, and the device's log beside it: what was it waiting for?"), At: t.last}
	}
	return Diagnosis{Text: fmt.Sprintf("%d connections that never began TLS", t.accepted),
		Look: "is Use SSL ticked in the device's settings?", At: t.last}
}

// heard is the diagnosis at a hub that shows messages alone: that nothing is
// heard does not say whether anybody came.
func (t *tally) heard(before bool) (d Diagnosis) {
	switch {
	case t.sessions+t.messages > 0:
		t.accepted++ // it has connected, as its messages show
		d = t.diagnosis()
		d.Came = true
		return d
	case before:
		d.Look = "the firmware's reconnect, because it was heard here before: what ends it, and does its delay grow without a ceiling? Its log on the console from here on"
	default:
		d.Look = "does the device dial " + t.hub.Addr + " and publish on its type's mqtt.topic (its MQTT parameters), does the hub's own log show it and why it is refused, must it be restarted (commands.after_provision, commands.reboot)?"
	}
	d.Text = "no message at " + t.hub.Addr + ", which shows no connections"
	return d
}

func (t *tally) ofHandshakes() Diagnosis {
	s := Diagnosis{Text: fmt.Sprintf("%d TLS handshakes failed, the last: %s", t.failed, t.handshake), At: t.lastFailed}
	if t.alert != nil {
		s.Text = fmt.Sprintf("%d TLS handshakes refused by the device with alert %d %s", t.failed, t.alert.Number, t.alert.Name)
		s.Text += meaning(t.alert.Number, t.dialled, t.hub.Name)
		s.Look = cureOf(t.alert.Number, t.dialled, t.hub)
	}
	if t.unproven {
		s.Text = fmt.Sprintf("%d TLS handshakes failed, the last because the key does not belong to the certificate: %s", t.failed, t.handshake)
		s.Look = "whether slot 30 holds the key of the certificate in slot 20, and the device reads both anew when they are loaded: one key may be that of the identity before"
	}
	if s.Look == "" {
		s.Look = t.hub.inTimeline("the ClientHello in the timeline: versions and suites")
	}
	return s
}

func after(dropped string) string {
	if dropped == "" {
		return ""
	}
	return "; last disconnect: " + strings.TrimSpace(dropped)
}

package cli

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"hilrig/azure/hub"
)

// hubLine is an event of the hub as `hilrig hub` prints it.
type hubLine struct {
	Event     string         `json:"event"`
	At        time.Time      `json:"at"`
	Seq       int            `json:"seq"`
	Conn      int64          `json:"conn,omitempty"`
	Remote    string         `json:"remote,omitempty"`
	Device    string         `json:"device,omitempty"`
	Text      string         `json:"text,omitempty"`
	Fault     string         `json:"fault,omitempty"`
	Handshake *hub.Handshake `json:"handshake,omitempty"`
	Connect   *hub.Connect   `json:"connect,omitempty"`
	Packet    *hub.Packet    `json:"packet,omitempty"`
	Message   *hubMessage    `json:"message,omitempty"`
}

// hubMessage is telemetry, its payload as readable as it is.
type hubMessage struct {
	Topic      string            `json:"topic"`
	QoS        byte              `json:"qos"`
	Dup        bool              `json:"dup,omitempty"`
	Retain     bool              `json:"retain,omitempty"`
	Will       bool              `json:"will,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	System     map[string]string `json:"system,omitempty"`
	Payload    json.RawMessage   `json:"payload,omitempty"`        // where it is JSON
	Text       string            `json:"payload_text,omitempty"`   // else where it is text
	Base64     []byte            `json:"payload_base64,omitempty"` // else
}

func (p *hubPrinter) event(e hub.Event) {
	l := hubLine{
		Event: string(e.Kind), At: e.At.UTC().Round(0), Seq: e.Seq, Conn: e.Conn, Remote: e.Remote, Device: e.DeviceID,
		Text: e.Text, Fault: e.Fault, Handshake: e.Handshake, Connect: e.Connect, Packet: e.Packet,
	}
	if e.Message != nil {
		l.Message = messageOf(e.Message)
	}
	p.print(l)
}

func messageOf(m *hub.Message) *hubMessage {
	out := &hubMessage{
		Topic: m.Topic, QoS: m.QoS, Dup: m.Dup, Retain: m.Retain, Will: m.Will, Properties: m.Properties, System: m.System,
	}
	switch {
	case json.Valid(m.Payload):
		out.Payload = m.Payload
	case utf8.Valid(m.Payload):
		out.Text = string(m.Payload)
	default:
		out.Base64 = m.Payload
	}
	return out
}

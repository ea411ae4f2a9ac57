package hub

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"hilrig/azure/mqttwire"
	"hilrig/azure/tlswire"
)

// Line is the JSON form of an event: every field of it, by the names that
// scripts know. A field that says nothing is left out.
type Line struct {
	Event     EventKind      `json:"event,omitempty"`
	At        time.Time      `json:"at,omitzero"` // UTC
	Seq       *int           `json:"seq,omitempty"`
	Conn      int64          `json:"conn,omitempty"`
	Remote    string         `json:"remote,omitempty"`
	Device    string         `json:"device,omitempty"`
	Text      string         `json:"text,omitempty"`
	Fault     string         `json:"fault,omitempty"`
	ByDevice  bool           `json:"by_device,omitempty"`
	Refused   bool           `json:"refused,omitempty"`
	Takeover  bool           `json:"takeover,omitempty"`
	Handshake *HandshakeLine `json:"handshake,omitempty"`
	Connect   *Connect       `json:"connect,omitempty"`
	Packet    *Packet        `json:"packet,omitempty"`
	Message   *MessageLine   `json:"message,omitempty"`
	Filters   []FilterLine   `json:"filters,omitempty"`
	Twin      *TwinLine      `json:"twin,omitempty"`
	Method    *MethodLine    `json:"method,omitempty"`
	Violation *ViolationLine `json:"violation,omitempty"`
	Noise     *Noise         `json:"noise,omitempty"`
	Gap       *Gap           `json:"gap,omitempty"`
	Listening *Listening     `json:"listening,omitempty"`
}

// HandshakeLine is a handshake with what it is made of.
type HandshakeLine struct {
	*Handshake
	Hello        []byte        `json:"client_hello,omitempty"` // as it came, in base64
	Certificates [][]byte      `json:"certificates,omitempty"` // of the device, DER in base64, its own first
	Messages     []MessageStep `json:"messages,omitempty"`
}

// MessageStep is a TLS handshake message on the wire.
type MessageStep struct {
	FromDevice bool      `json:"from_device"`
	Name       string    `json:"name"`
	Type       byte      `json:"type"`
	Length     int       `json:"length"`
	At         time.Time `json:"at"`
	Records    int       `json:"records"`
}

// Body is a payload, as readable as it is.
type Body struct {
	Payload json.RawMessage `json:"payload,omitempty"`        // where it is JSON
	Text    string          `json:"payload_text,omitempty"`   // else where it is text
	Base64  []byte          `json:"payload_base64,omitempty"` // else
	Cut     bool            `json:"payload_cut,omitempty"`    // its beginning only
}

// MessageLine is telemetry.
type MessageLine struct {
	Topic      string            `json:"topic"`
	QoS        byte              `json:"qos"`
	Dup        bool              `json:"dup,omitempty"`
	Retain     bool              `json:"retain,omitempty"`
	Will       bool              `json:"will,omitempty"`
	PacketID   uint16            `json:"packet_id,omitempty"`
	Enqueued   time.Time         `json:"enqueued,omitzero"`
	Properties map[string]string `json:"properties,omitempty"`
	System     map[string]string `json:"system,omitempty"`
	Body
}

// FilterLine is a topic filter.
type FilterLine struct {
	Topic string `json:"topic"`
	QoS   byte   `json:"qos"`
}

// TwinLine is what happened to a twin.
type TwinLine struct {
	*TwinExchange
	Body
}

// MethodLine is a direct method or its answer.
type MethodLine struct {
	*MethodCall
	Body
}

// ViolationLine is a normative statement that a packet breaks.
type ViolationLine struct {
	Statement string    `json:"statement"`
	Packet    string    `json:"packet"`
	Text      string    `json:"text"`
	At        time.Time `json:"at,omitzero"`
}

// MarshalJSON is the event's [Line].
func (e Event) MarshalJSON() ([]byte, error) { return json.Marshal(LineOf(e)) }

// LineOf is the JSON form of e.
func LineOf(e Event) Line {
	l := Line{
		Event: e.Kind, At: e.At.UTC().Round(0), Seq: &e.Seq, Conn: e.Conn, Remote: e.Remote, Device: e.DeviceID, Text: e.Text, Fault: e.Fault,
		ByDevice: e.ByDevice, Refused: e.Refused, Takeover: e.Takeover, Connect: e.Connect, Packet: e.Packet, Noise: e.Noise, Gap: e.Gap, Listening: e.Listening,
		Handshake: handshakeLine(e.Handshake), Message: messageLine(e.Message), Filters: filterLines(e.Filters),
	}
	if x := e.Twin; x != nil {
		l.Twin = &TwinLine{x, bodyOf(x.Payload, x.Cut)}
	}
	if m := e.Method; m != nil {
		l.Method = &MethodLine{m, bodyOf(m.Payload, m.Cut)}
	}
	if v := e.Violation; v != nil {
		l.Violation = &ViolationLine{v.Statement, v.Packet, v.Text, v.At.UTC().Round(0)}
	}
	return l
}

func handshakeLine(h *Handshake) *HandshakeLine {
	if h == nil {
		return nil
	}
	l := &HandshakeLine{Handshake: h}
	if h.Hello != nil {
		l.Hello = h.Hello.Raw
	}
	for _, c := range h.Certificates {
		l.Certificates = append(l.Certificates, c.Raw)
	}
	for _, m := range h.Messages {
		l.Messages = append(l.Messages, stepOf(m))
	}
	return l
}

func stepOf(m tlswire.Message) MessageStep {
	return MessageStep{m.FromClient, m.Name, m.Type, m.Length, m.At.UTC().Round(0), m.Records}
}

func messageLine(m *Message) *MessageLine {
	if m == nil {
		return nil
	}
	return &MessageLine{
		Topic: m.Topic, QoS: m.QoS, Dup: m.Dup, Retain: m.Retain, Will: m.Will, PacketID: m.PacketID, Enqueued: m.Enqueued.UTC().Round(0),
		Properties: m.Properties, System: m.System, Body: bodyOf(m.Payload, m.Cut),
	}
}

func filterLines(filters []mqttwire.Filter) (lines []FilterLine) {
	for _, f := range filters {
		lines = append(lines, FilterLine{f.Topic, f.QoS})
	}
	return lines
}

func bodyOf(payload []byte, cut bool) Body {
	b := Body{Cut: cut}
	switch {
	case json.Valid(payload):
		b.Payload = payload
	case utf8.Valid(payload):
		b.Text = string(payload)
	default:
		b.Base64 = payload
	}
	return b
}

package hub

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
	"hilrig/azure/tlswire"
	"hilrig/record"
)

// EventKind says what an event is about.
type EventKind string

// The kinds, in the order in which a connection has them.
const (
	KindAccepted     EventKind = "accepted"     // a TCP connection
	KindHandshake    EventKind = "handshake"    // TLS ended, well or not
	KindPacket       EventKind = "packet"       // an MQTT packet, either way
	KindConnect      EventKind = "connect"      // a CONNECT was judged
	KindDeviceBound  EventKind = "device-bound" // a message to the device was accepted
	KindCompleted    EventKind = "completed"    // a message to the device needs no more sending; Text says why
	KindSubscribed   EventKind = "subscribed"   // filters were taken
	KindServed       EventKind = "served"       // filters are acknowledged: the hub serves them from now on
	KindMessage      EventKind = "message"      // telemetry is in the record
	KindViolation    EventKind = "violation"    // a packet breaks MQTT 3.1.1
	KindTwin         EventKind = "twin"         // a twin was asked for, reported or pushed
	KindMethod       EventKind = "method"       // a direct method was called or answered
	KindDisconnected EventKind = "disconnected" // the connection ended; Text says why
	KindFaultShown   EventKind = "fault-shown"  // a fault met the device
	KindNoise        EventKind = "noise"        // connections of strangers that are not recorded one by one
	KindListening    EventKind = "listening"    // what arrives is seen from now on; Gap says what was not
	KindGap          EventKind = "gap"          // what arrives is not seen, from the moment on that Gap says
	KindLeftover     EventKind = "leftover"     // a retained message that lay on the topic before anybody listened: no arrival
)

// Event is one thing that the hub saw or did.
type Event struct {
	Seq      int       // index in the record, from 0
	At       time.Time // with its monotonic reading
	Kind     EventKind
	Conn     int64 // number of the TCP connection, from 1
	Remote   string
	DeviceID string // once CONNECT said it
	Text     string // one line for people
	Fault    string // the fault that made this so; empty for the hub's ordinary behaviour
	ByDevice bool   // disconnected: the device ended it, not the hub
	Refused  bool   // disconnected: the hub ended it for what the device sent
	Takeover bool   // disconnected: a newer session of the same id took over

	Handshake *Handshake
	Connect   *Connect
	Packet    *Packet
	Message   *Message
	Filters   []mqttwire.Filter // subscribed: asked for; served: acknowledged
	Twin      *TwinExchange
	Method    *MethodCall
	Violation *mqttwire.Violation
	Noise     *Noise
	Gap       *Gap
	Listening *Listening
}

// Accepted reports whether a CONNECT was accepted: a session began.
func (e Event) Accepted() bool {
	return e.Kind == KindConnect && e.Connect != nil && e.Connect.ReturnCode == 0
}

// Rejected reports whether the hub ended the connection for what the device
// sent.
func (e Event) Rejected() bool { return e.Kind == KindDisconnected && e.Refused }

// MetFault reports whether a handshake ended that the device had begun, and to
// which a fault was shown.
func (e Event) MetFault() bool {
	return e.Kind == KindHandshake && e.Handshake != nil && e.Handshake.Hello != nil && e.Handshake.Fault != ""
}

// Ends reports whether a connection ended.
func (e Event) Ends(conn int64) bool { return e.Kind == KindDisconnected && e.Conn == conn }

// Telemetry reports whether the device sent a message: its will is none, which
// the hub delivers for a device that has gone.
func (e Event) Telemetry() bool { return e.Kind == KindMessage && e.Message != nil && !e.Message.Will }

// WholeTelemetry is Telemetry of which the record holds all: what is in it can be
// judged.
func (e Event) WholeTelemetry() bool { return e.Telemetry() && !e.Message.Cut }

// Handshake is how TLS ended on a connection.
type Handshake struct {
	OK           bool                 `json:"ok"`
	Resumed      bool                 `json:"resumed,omitempty"` // never judged: the certificates were not shown
	Version      uint16               `json:"version,omitempty"`
	Suite        uint16               `json:"suite,omitempty"`
	VersionName  string               `json:"version_name,omitempty"`
	SuiteName    string               `json:"suite_name,omitempty"`
	ServerName   string               `json:"server_name,omitempty"`
	Hello        *tlswire.ClientHello `json:"-"`
	Offered      []string             `json:"offered,omitempty"` // suites of the hello, by name
	Certificates []*x509.Certificate  `json:"-"`
	Thumbprints  record.Thumbprints   `json:"thumbprints,omitzero"`
	Alert        *Alert               `json:"alert,omitempty"` // of the device
	Err          string               `json:"error,omitempty"`
	Garbage      bool                 `json:"garbage,omitempty"` // the device's first bytes were no TLS
	Fault        string               `json:"fault,omitempty"`   // the TLS fault that was shown
	Duration     time.Duration        `json:"duration"`
	Messages     []tlswire.Message    `json:"-"`
}

// Wordless reports whether the connection ended before it said anything.
func (hs *Handshake) Wordless() bool {
	return !hs.OK && hs.Hello == nil && !hs.Garbage && hs.Alert == nil && len(hs.Messages) == 0
}

// Unasked reports whether the device was let in without a certificate, and no
// request for one was seen: the hub wants none, or TLS 1.3 hides both.
func (hs *Handshake) Unasked() bool {
	const certificateRequest = 13
	return hs.OK && len(hs.Certificates) == 0 && !slices.ContainsFunc(hs.Messages, func(m tlswire.Message) bool { return m.Type == certificateRequest })
}

// NobodyAsked is what a spec about client certificates says of such a handshake.
const NobodyAsked = "this hub asks for no client certificate, as far as the handshake can be read"

// Unproven reports whether the device showed a certificate and then gave a
// signature that is not of its key (RFC 5246 section 7.4.8): the hub went no
// further.
func (hs *Handshake) Unproven() bool {
	n := len(hs.Messages)
	return !hs.OK && hs.Alert == nil && hs.Fault == "" && len(hs.Certificates) > 0 && n > 0 &&
		hs.Messages[n-1].FromClient && hs.Messages[n-1].Name == "certificate_verify"
}

// Alert is a TLS alert that the device sent (RFC 5246 section 7.2).
type Alert struct {
	Level  byte   `json:"level"`
	Number byte   `json:"number"`
	Name   string `json:"name"`
}

// Connect is a CONNECT and what the hub said to it.
type Connect struct {
	ClientID    string        `json:"client_id"`
	UserName    string        `json:"user_name"`
	HasPassword bool          `json:"has_password"`
	PasswordLen int           `json:"password_len"` // its length is all that is ever kept of a password
	Protocol    string        `json:"protocol"`
	Level       byte          `json:"level"`
	Clean       bool          `json:"clean"`
	KeepAlive   time.Duration `json:"keep_alive"`
	Will        *Will         `json:"will,omitempty"`
	Form        azure.Form    `json:"form,omitempty"`
	ModelID     string        `json:"model_id,omitempty"` // of IoT Plug and Play, from the user name
	ReturnCode  byte          `json:"return_code"`
	Answered    bool          `json:"answered"` // a CONNACK was sent
	Present     bool          `json:"session_present"`
	Reason      string        `json:"reason,omitempty"`   // of a refusal
	Inferred    bool          `json:"inferred,omitempty"` // the hub shows no CONNECT: a message of its session does
}

// Will is the will of a CONNECT.
type Will struct {
	Topic   string `json:"topic"`
	QoS     byte   `json:"qos"`
	Retain  bool   `json:"retain"`
	Size    int    `json:"size"`
	Refused string `json:"refused,omitempty"` // why it is never delivered
}

// Packet is one MQTT packet on the wire.
type Packet struct {
	In        bool   `json:"in"` // from the device
	Type      byte   `json:"type"`
	Name      string `json:"name"`
	ID        uint16 `json:"id,omitempty"`
	QoS       byte   `json:"qos,omitempty"`
	Dup       bool   `json:"dup,omitempty"`
	Retain    bool   `json:"retain,omitempty"`
	Topic     string `json:"topic,omitempty"`
	Size      int    `json:"size"`
	Malformed string `json:"malformed,omitempty"`
	Withheld  bool   `json:"withheld,omitempty"` // a fault kept it back
}

// Body is how many bytes of payload a PUBLISH of that size has: what is left of
// it behind its fixed header, its topic and its packet id (MQTT 3.1.1, 3.3).
func (p *Packet) Body() int {
	header := 2
	for most := 127; p.Size > header+most; most = most<<7 | 127 { // a byte of the remaining length has seven bits
		header++
	}
	body := p.Size - header - 2 - len(p.Topic)
	if p.QoS > 0 {
		body -= 2
	}
	return max(0, body)
}

// Message is telemetry as the cloud hands it on.
type Message struct {
	Topic      string
	Properties map[string]string
	System     map[string]string // iothub-connection-device-id, …
	Payload    []byte
	Cut        bool // the payload is its beginning only: the record was full
	QoS        byte
	Retain     bool
	Dup        bool
	PacketID   uint16
	Will       bool
	Enqueued   time.Time
}

// Describe is a handshake on one line: what was agreed, or why there was none.
func (hs *Handshake) Describe() string {
	if !hs.OK {
		s := "TLS failed: " + hs.Err
		if hs.Alert != nil {
			s += fmt.Sprintf("; the device's alert: %d %s", hs.Alert.Number, hs.Alert.Name)
		}
		return s
	}
	s := fmt.Sprintf("%s %s in %s", hs.VersionName, hs.SuiteName, hs.Duration.Round(time.Millisecond))
	if len(hs.Certificates) == 0 {
		return s + ", no client certificate"
	}
	return s + ", client " + hs.Thumbprints.SHA1
}

package mqttwire

import "time"

// The types of control packets (MQTT 2.2.1).
const (
	CONNECT     byte = 1
	CONNACK     byte = 2
	PUBLISH     byte = 3
	PUBACK      byte = 4
	PUBREC      byte = 5
	PUBREL      byte = 6
	PUBCOMP     byte = 7
	SUBSCRIBE   byte = 8
	SUBACK      byte = 9
	UNSUBSCRIBE byte = 10
	UNSUBACK    byte = 11
	PINGREQ     byte = 12
	PINGRESP    byte = 13
	DISCONNECT  byte = 14
)

// Packet is a control packet, decoded.
type Packet struct {
	At             time.Time
	FromClient     bool
	Type           byte
	Name           string // "PUBLISH"; "type 15" for what is none
	ID             uint16 // packet identifier; 0 where the packet has none
	QoS            byte   // of a PUBLISH
	Dup, Retain    bool
	Topic          string // of a PUBLISH
	Payload        []byte // of a PUBLISH; shares memory with the frame
	Connect        *Connect
	Filters        []Filter // of SUBSCRIBE and UNSUBSCRIBE
	ReturnCodes    []byte   // of CONNACK (one) and SUBACK
	SessionPresent bool     // of a CONNACK
	Size           int      // bytes on the wire, header and all
	Malformed      string   // what kept it from being read to its end; fields before that are set
	Illegal        string   // of a client: the statement it breaks for which a server closes the connection [MQTT-4.8.0-1]

	flags byte // of the fixed header
}

// Connect is what a CONNECT says. It never holds a password.
type Connect struct {
	Protocol       string // "MQTT"; "MQIsdp" in 3.1
	Level          byte   // 4 is 3.1.1, 3 is 3.1, 5 is 5
	Flags          byte
	Clean          bool
	KeepAlive      uint16 // seconds
	ClientID       string
	Will           *Will
	UserName       string
	HasUserName    bool
	HasPassword    bool // the password flag, be the password empty
	PasswordLength int
}

// Will is the last will of a CONNECT.
type Will struct {
	Topic   string
	Payload []byte // shares memory with the frame
	QoS     byte
	Retain  bool
}

// Filter is one topic filter of a SUBSCRIBE or UNSUBSCRIBE.
type Filter struct {
	Topic string
	QoS   byte // requested; 0 in an UNSUBSCRIBE
}

// Violation is a normative statement that a packet breaks.
type Violation struct {
	Statement string // "[MQTT-2.3.1-1]", or "MQTT 2.2.3" where the standard gives no id
	Text      string // what is wrong with this packet
	Packet    string // its name: "SUBSCRIBE"
	At        time.Time
}

// String is one line: statement, packet, text.
func (v Violation) String() string { return v.Statement + " " + v.Packet + ": " + v.Text }

package mqttwire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// packetKinds says of every type how it is named, where the standard describes
// it, which flags it must carry and by which statement, and whether a client
// may send it. PUBLISH has flags of its own.
var packetKinds = [16]struct {
	name, section, flagStatement string
	flags                        byte
	fromClient                   bool
}{
	CONNECT:     {"CONNECT", "MQTT 3.1", "[MQTT-2.2.2-1]", 0, true},
	CONNACK:     {"CONNACK", "MQTT 3.2", "[MQTT-2.2.2-1]", 0, false},
	PUBLISH:     {"PUBLISH", "MQTT 3.3", "", 0, true},
	PUBACK:      {"PUBACK", "MQTT 3.4", "[MQTT-2.2.2-1]", 0, true},
	PUBREC:      {"PUBREC", "MQTT 3.5", "[MQTT-2.2.2-1]", 0, true},
	PUBREL:      {"PUBREL", "MQTT 3.6", "[MQTT-3.6.1-1]", 2, true},
	PUBCOMP:     {"PUBCOMP", "MQTT 3.7", "[MQTT-2.2.2-1]", 0, true},
	SUBSCRIBE:   {"SUBSCRIBE", "MQTT 3.8", "[MQTT-3.8.1-1]", 2, true},
	SUBACK:      {"SUBACK", "MQTT 3.9", "[MQTT-2.2.2-1]", 0, false},
	UNSUBSCRIBE: {"UNSUBSCRIBE", "MQTT 3.10", "[MQTT-3.10.1-1]", 2, true},
	UNSUBACK:    {"UNSUBACK", "MQTT 3.11", "[MQTT-2.2.2-1]", 0, false},
	PINGREQ:     {"PINGREQ", "MQTT 3.12", "[MQTT-2.2.2-1]", 0, true},
	PINGRESP:    {"PINGRESP", "MQTT 3.13", "[MQTT-2.2.2-1]", 0, false},
	DISCONNECT:  {"DISCONNECT", "MQTT 3.14", "[MQTT-3.14.1-1]", 0, true},
}

// TypeName is the name of a packet type: "PUBLISH", or "type 15" for what is
// none.
func TypeName(t byte) string {
	if name := packetKinds[t&15].name; name != "" {
		return name
	}
	return fmt.Sprintf("type %d", t&15)
}

// Decode reads a frame and says which statements it breaks by itself, whatever
// came before it. fromClient says who sent it; only a client is blamed. A
// CONNECT of MQTT 3.1 or 5 is read and not judged.
func Decode(f Frame, fromClient bool) (Packet, []Violation) {
	d := newDecoder(f, fromClient)
	d.flags()
	switch d.p.Type {
	case CONNECT:
		d.connect()
	case CONNACK:
		d.connack()
	case PUBLISH:
		d.publish()
	case PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK:
		d.acknowledgement()
	case SUBSCRIBE, UNSUBSCRIBE:
		d.subscribe()
	case SUBACK:
		d.suback()
	case PINGREQ, PINGRESP, DISCONNECT:
		d.end()
	default:
		d.malformed("is no packet of MQTT")
	}
	return d.p, d.violations
}

// decoder walks over one frame's body.
type decoder struct {
	p          Packet
	body       []byte
	at         int  // how far it has read
	secret     int  // where in body a CONNECT's password may begin
	blame      bool // violations count
	cut        bool // the frame is truncated: what is missing is nobody's fault
	violations []Violation
}

func newDecoder(f Frame, fromClient bool) *decoder {
	return &decoder{
		p:     Packet{At: f.At, FromClient: fromClient, Type: f.Type(), Name: TypeName(f.Type()), Size: f.Size(), flags: f.Header & 15},
		body:  f.Body(),
		blame: fromClient,
		cut:   f.Truncated,
	}
}

func (d *decoder) violate(statement, format string, args ...any) {
	if d.blame {
		d.violations = append(d.violations,
			Violation{Statement: statement, Text: fmt.Sprintf(format, args...), Packet: d.p.Name, At: d.p.At})
	}
}

// illegal is a violation for which a server closes the connection
// [MQTT-4.8.0-1].
func (d *decoder) illegal(statement, format string, args ...any) {
	d.violate(statement, format, args...)
	if d.blame && d.p.Illegal == "" {
		d.p.Illegal = d.violations[len(d.violations)-1].String()
	}
}

// malformed ends the reading, and blames unless our own limit cut the packet.
func (d *decoder) malformed(format string, args ...any) {
	if d.p.Malformed != "" {
		return
	}
	if d.cut {
		d.p.Malformed = "larger than what is kept of it"
		return
	}
	d.p.Malformed = fmt.Sprintf(format, args...)
	if section := packetKinds[d.p.Type].section; section != "" {
		d.violate(section, "%s", d.p.Malformed)
	}
}

// flags judges the type and the four bits beside it.
func (d *decoder) flags() {
	k := packetKinds[d.p.Type]
	if !k.fromClient {
		d.illegal("MQTT 2.2.1", "a client never sends it")
	}
	if d.p.Type == PUBLISH || k.name == "" {
		return
	}
	if d.p.flags != k.flags {
		d.illegal(k.flagStatement, "reserved flags are %04b and must be %04b", d.p.flags, k.flags)
	}
}

// byte, u16 and field read the next of their kind, or mark the packet
// malformed and return false.
func (d *decoder) byte(what string) (byte, bool) {
	if d.at >= len(d.body) {
		d.malformed("ends before its %s", what)
		return 0, false
	}
	d.at++
	return d.body[d.at-1], true
}

func (d *decoder) u16(what string) (uint16, bool) {
	if d.at+2 > len(d.body) {
		d.malformed("ends before its %s", what)
		return 0, false
	}
	d.at += 2
	return uint16(d.body[d.at-2])<<8 | uint16(d.body[d.at-1]), true
}

func (d *decoder) field(what string) ([]byte, bool) {
	n, ok := d.u16(what)
	if !ok {
		return nil, false
	}
	if d.at+int(n) > len(d.body) {
		d.malformed("ends inside its %s of %d bytes", what, n)
		return nil, false
	}
	d.at += int(n)
	return d.body[d.at-int(n) : d.at : d.at], true
}

// text reads a UTF-8 string (MQTT 1.5.3).
func (d *decoder) text(what string) (string, bool) {
	b, ok := d.field(what)
	if !ok {
		return "", false
	}
	s := string(b)
	if !utf8.ValidString(s) {
		d.illegal("[MQTT-1.5.3-1]", "%s %q is not well-formed UTF-8", what, s)
	} else if strings.ContainsRune(s, 0) {
		d.illegal("[MQTT-1.5.3-2]", "%s %q holds the character U+0000", what, s)
	}
	return s, true
}

// end says that nothing may follow.
func (d *decoder) end() {
	if left := len(d.body) - d.at; left > 0 {
		d.malformed("has %d bytes behind its end", left)
	}
}

// id reads a packet identifier, which is never 0.
func (d *decoder) id(statement string) bool {
	id, ok := d.u16("packet identifier")
	if !ok {
		return false
	}
	violate := d.illegal
	if d.p.Type >= PUBACK && d.p.Type <= PUBCOMP { // it acknowledges nothing, and that is all
		violate = d.violate
	}
	if d.p.ID = id; id == 0 {
		violate(statement, "packet identifier is 0")
	}
	return true
}

func (d *decoder) connack() {
	flags, ok := d.byte("flags")
	if !ok {
		return
	}
	d.p.SessionPresent = flags&1 != 0
	if code, ok := d.byte("return code"); ok {
		d.p.ReturnCodes = []byte{code}
	}
}

func (d *decoder) publish() {
	d.p.Dup, d.p.QoS, d.p.Retain = d.p.flags&8 != 0, d.p.flags>>1&3, d.p.flags&1 != 0
	if d.p.QoS == 3 {
		d.illegal("[MQTT-3.3.1-4]", "both QoS bits are set")
	}
	if d.p.Dup && d.p.QoS == 0 {
		d.illegal("[MQTT-3.3.1-2]", "DUP is set at QoS 0")
	}
	topic, ok := d.text("topic name")
	if !ok {
		return
	}
	d.p.Topic = topic
	d.topicName(d.illegal, "topic name", topic, "[MQTT-3.3.2-2]")
	if d.p.QoS > 0 && !d.id("[MQTT-2.3.1-1]") {
		return
	}
	d.p.Payload = d.body[d.at:len(d.body):len(d.body)]
}

// topicName judges a topic that is published to.
func (d *decoder) topicName(violate func(statement, format string, args ...any), what, topic, wildcards string) {
	if topic == "" {
		violate("[MQTT-4.7.3-1]", "%s is empty", what)
	}
	if strings.ContainsAny(topic, "+#") {
		violate(wildcards, "%s %q holds a wildcard", what, topic)
	}
}

func (d *decoder) acknowledgement() {
	if d.id("[MQTT-2.3.1-6]") {
		d.end()
	}
}

func (d *decoder) subscribe() {
	if !d.id("[MQTT-2.3.1-1]") {
		return
	}
	for d.at < len(d.body) {
		topic, ok := d.text("topic filter")
		if !ok {
			return
		}
		f := Filter{Topic: topic}
		d.topicFilter(topic)
		if d.p.Type == SUBSCRIBE {
			if f.QoS, ok = d.byte("requested QoS"); !ok {
				return
			}
			if f.QoS > 2 {
				d.illegal("[MQTT-3-8.3-4]", "requested QoS of %q is 0x%02x", topic, f.QoS)
			}
		}
		d.p.Filters = append(d.p.Filters, f)
	}
	switch {
	case len(d.p.Filters) > 0 || d.cut:
	case d.p.Type == SUBSCRIBE:
		d.illegal("[MQTT-3.8.3-3]", "has no topic filter")
	default:
		d.illegal("[MQTT-3.10.3-2]", "has no topic filter")
	}
}

// topicFilter judges where the wildcards of a filter stand (MQTT 4.7.1). A
// server refuses such a filter, and not the packet.
func (d *decoder) topicFilter(filter string) {
	if statement, wrong := filterRule(filter); statement != "" {
		d.violate(statement, "topic filter %s", wrong)
	}
}

// ValidFilter says whether a topic filter is one by MQTT 4.7.
func ValidFilter(filter string) bool {
	statement, _ := filterRule(filter)
	return statement == ""
}

func filterRule(filter string) (statement, wrong string) {
	if filter == "" {
		return "[MQTT-4.7.3-1]", "is empty"
	}
	if !strings.ContainsAny(filter, "+#") {
		return "", ""
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if strings.Contains(level, "#") && (level != "#" || i < len(levels)-1) {
			return "[MQTT-4.7.1-2]", fmt.Sprintf("%q: # must be the last level, and all of it", filter)
		}
		if strings.Contains(level, "+") && level != "+" {
			return "[MQTT-4.7.1-3]", fmt.Sprintf("%q: + must be all of a level", filter)
		}
	}
	return "", ""
}

func (d *decoder) suback() {
	if d.id("") {
		d.p.ReturnCodes = d.body[d.at:]
	}
}

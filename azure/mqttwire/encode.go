package mqttwire

import "encoding/binary"

// Connack encodes a CONNACK.
func Connack(returnCode byte, sessionPresent bool) []byte {
	flags := byte(0)
	if sessionPresent {
		flags = 1
	}
	return []byte{CONNACK << 4, 2, flags, returnCode}
}

// appendPublish encodes a PUBLISH from p's Topic, Payload, QoS, ID, Dup and
// Retain. A topic over 65,535 bytes is cut. The caller keeps the packet under
// MQTT's 256 MB.
func appendPublish(b []byte, p Packet) []byte {
	header := PUBLISH<<4 | p.QoS&3<<1
	if p.Dup {
		header |= 8
	}
	if p.Retain {
		header |= 1
	}
	topic := p.Topic[:min(len(p.Topic), 0xffff)]
	size := 2 + len(topic) + len(p.Payload)
	if p.QoS > 0 {
		size += 2
	}
	b = appendLength(append(b, header), size)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(topic))), topic...)
	if p.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, p.ID)
	}
	return append(b, p.Payload...)
}

// AppendTo encodes a packet that a server sends behind b: CONNACK, PUBLISH,
// PUBACK, SUBACK, UNSUBACK or PINGRESP, from the fields that its type has. Of
// another type nothing is added.
func (p Packet) AppendTo(b []byte) []byte {
	switch p.Type {
	case CONNACK:
		return append(b, Connack(p.ReturnCodes[0], p.SessionPresent)...)
	case PUBLISH:
		return appendPublish(b, p)
	case PUBACK, UNSUBACK:
		return append(b, p.Type<<4, 2, byte(p.ID>>8), byte(p.ID))
	case SUBACK:
		b = appendLength(append(b, SUBACK<<4), 2+len(p.ReturnCodes))
		return append(binary.BigEndian.AppendUint16(b, p.ID), p.ReturnCodes...)
	case PINGRESP:
		return append(b, PINGRESP<<4, 0)
	}
	return b
}

// appendLength writes a remaining length (MQTT 2.2.3).
func appendLength(b []byte, n int) []byte {
	for n > 0x7f {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

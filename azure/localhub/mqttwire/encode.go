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

// Pingresp encodes a PINGRESP.
func Pingresp() []byte { return []byte{PINGRESP << 4, 0} }

// Puback encodes a PUBACK.
func Puback(id uint16) []byte { return []byte{PUBACK << 4, 2, byte(id >> 8), byte(id)} }

// Suback encodes a SUBACK: one return code a filter, at most 125 of them.
func Suback(id uint16, returnCodes ...byte) []byte {
	returnCodes = returnCodes[:min(len(returnCodes), 125)]
	return append([]byte{SUBACK << 4, byte(2 + len(returnCodes)), byte(id >> 8), byte(id)}, returnCodes...)
}

// Publish encodes a PUBLISH from p's Topic, Payload, QoS, ID, Dup and Retain.
// A topic over 65,535 bytes is cut. The caller keeps the packet under MQTT's
// 256 MB.
func Publish(p Packet) []byte {
	header := PUBLISH<<4 | p.QoS&3<<1
	if p.Dup {
		header |= 8
	}
	if p.Retain {
		header |= 1
	}
	topic := p.Topic[:min(len(p.Topic), 0xffff)]
	body := binary.BigEndian.AppendUint16(nil, uint16(len(topic)))
	body = append(body, topic...)
	if p.QoS > 0 {
		body = binary.BigEndian.AppendUint16(body, p.ID)
	}
	body = append(body, p.Payload...)
	return append(appendLength([]byte{header}, len(body)), body...)
}

// appendLength writes a remaining length (MQTT 2.2.3).
func appendLength(b []byte, n int) []byte {
	for n > 0x7f {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

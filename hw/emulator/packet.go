package emulator

import (
	"encoding/binary"
	"errors"
)

// The control packets that are looked at (MQTT 3.1.1 table 2.1).
const (
	kindConnect  = 1
	kindConnack  = 2
	kindPublish  = 3
	kindPuback   = 4
	kindPingreq  = 12
	kindPingresp = 13
)

// The flags of a PUBLISH (3.3.1).
const (
	flagDup    = 0x08
	flagRetain = 0x01
)

// packet is one MQTT control packet; faults change it in place.
type packet struct {
	head byte // type and flags
	body []byte
}

func (p *packet) kind() byte { return p.head >> 4 }
func (p *packet) qos() byte  { return p.head >> 1 & 3 }

// id is where the packet id of a PUBLISH or PUBACK stands; nil where there is
// none.
func (p *packet) id() []byte {
	at := 0
	if p.kind() == kindPublish {
		if p.qos() == 0 || len(p.body) < 2 {
			return nil
		}
		at = 2 + int(binary.BigEndian.Uint16(p.body))
	}
	if len(p.body) < at+2 {
		return nil
	}
	return p.body[at : at+2]
}

func (p *packet) bytes() []byte {
	out := []byte{p.head}
	for n := len(p.body); ; { // the remaining length, 2.2.3
		b := byte(n % 128)
		if n /= 128; n > 0 {
			out = append(out, b|0x80)
			continue
		}
		out = append(out, b)
		return append(out, p.body...)
	}
}

var errFraming = errors.New("not an MQTT packet")

// cutPacket takes the first packet off b; nil where it is not whole yet.
func cutPacket(b []byte) (p *packet, rest []byte, err error) {
	length, shift := 0, 0
	for i := 1; i < len(b); i++ {
		length |= int(b[i]&0x7f) << shift
		if b[i]&0x80 == 0 {
			end := i + 1 + length
			if len(b) < end {
				return nil, b, nil
			}
			return &packet{b[0], append([]byte(nil), b[i+1:end]...)}, b[end:], nil
		}
		if shift += 7; shift > 21 {
			return nil, b, errFraming
		}
	}
	return nil, b, nil
}

package mqttwire

import "time"

// DefaultMaxPacket is the size in bytes up to which a Splitter keeps a packet
// whole: twice what an IoT Hub takes.
const DefaultMaxPacket = 512 * 1024

// Frame is one control packet as it stood on the wire.
type Frame struct {
	At         time.Time // when its last byte (of a truncated one: the last kept) came
	Header     byte      // first byte: type and flags
	HeaderSize int       // bytes of the fixed header: 2 to 5
	Remaining  int       // remaining length as declared
	Raw        []byte    // the packet, header and all; its own memory. Holds the password of a CONNECT, see Redacted
	Truncated  bool      // Raw ends early, the packet is larger than the splitter keeps
}

// Size is the length of the packet on the wire, header and all.
func (f Frame) Size() int { return f.HeaderSize + f.Remaining }

// Body is what follows the fixed header.
func (f Frame) Body() []byte { return f.Raw[min(len(f.Raw), f.HeaderSize):] }

// Type is the packet's type, the upper half of its first byte.
func (f Frame) Type() byte { return f.Header >> 4 }

// Redacted is a copy of Raw in which the bytes of a CONNECT's password are
// replaced by '*': the only form in which a frame may be recorded. Where a
// broken CONNECT hides where the password begins, its whole payload goes.
func (f Frame) Redacted() []byte {
	raw := append([]byte(nil), f.Raw...)
	if f.Type() != CONNECT {
		return raw
	}
	d := newDecoder(f, false)
	d.connect()
	for i := min(len(raw), f.HeaderSize+d.secret); i < len(raw); i++ {
		raw[i] = '*'
	}
	return raw
}

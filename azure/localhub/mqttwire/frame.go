package mqttwire

import "time"

// DefaultMaxPacket is the size up to which a Splitter keeps a packet whole:
// more than any message an IoT Hub takes.
const DefaultMaxPacket = 512 * 1024

// Frame is one control packet as it stood on the wire.
type Frame struct {
	At        time.Time // when its last byte (of a truncated one: the last kept) came
	Header    byte      // first byte: type and flags
	Remaining int       // remaining length as declared
	Raw       []byte    // the packet, header and all; its own memory
	Truncated bool      // Raw ends early, the packet is larger than the splitter keeps
}

// Size is the length of the packet on the wire, header and all.
func (f Frame) Size() int { return 1 + lengthBytes(f.Remaining) + f.Remaining }

// Body is what follows the fixed header.
func (f Frame) Body() []byte { return f.Raw[min(len(f.Raw), 1+lengthBytes(f.Remaining)):] }

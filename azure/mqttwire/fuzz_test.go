package mqttwire

import (
	"bytes"
	"testing"
)

// FuzzChecker feeds any bytes in any pieces: no panic, no packet lost or made
// up, no memory beyond the limit, and the same verdict however it is cut.
func FuzzChecker(f *testing.F) {
	f.Add(bytes.Join([][]byte{connectWith(0xc2, "id", "u", "p"), Publish(Packet{Topic: "a", QoS: 1, ID: 1}), {0xe0, 0}}, nil), uint8(3))
	f.Add([]byte{0x82, 6, 0, 1, 0, 1, 'a', 0}, uint8(1))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff}, uint8(2))
	f.Add(rawConnect("MQTT", 5, 6, "x"), uint8(9))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		const limit = 64
		whole, pieces := NewSplitter(limit, at(1)), NewSplitter(limit, at(1))
		one, other := NewChecker(nil), NewChecker(nil)
		one.Feed(Frame{}, false)
		for _, fr := range whole.Feed(stream) {
			one.Feed(fr, true)
			if len(fr.Raw) > limit || fr.Size() < len(fr.Raw) || len(fr.Redacted()) != len(fr.Raw) {
				t.Fatalf("frame %+v", fr)
			}
		}
		step := int(piece)%16 + 1
		for i := 0; i < len(stream); i += step {
			for _, fr := range pieces.Feed(stream[i:min(i+step, len(stream))]) {
				other.Feed(fr, true)
			}
		}
		if len(one.Violations()) != len(other.Violations()) || (whole.Err() == nil) != (pieces.Err() == nil) {
			t.Fatalf("whole %v %v, in pieces %v %v", one.Violations(), whole.Err(), other.Violations(), pieces.Err())
		}
		one.End(at(9)(), false)
	})
}

// FuzzServer feeds any bytes as the server's: nobody is blamed.
func FuzzServer(f *testing.F) {
	f.Add(bytes.Join([][]byte{Connack(0, true), Suback(1, 0), Publish(Packet{Topic: "a", QoS: 1, ID: 1}), Puback(1), Pingresp()}, nil))
	f.Fuzz(func(t *testing.T, stream []byte) {
		c := NewChecker(nil)
		c.Feed(NewSplitter(0, at(1)).Feed(connectWith(2, "id"))[0], true)
		for _, fr := range NewSplitter(0, at(1)).Feed(stream) {
			c.Feed(fr, false)
		}
		if vs := c.Violations(); len(vs) > 0 {
			t.Fatal(vs)
		}
	})
}

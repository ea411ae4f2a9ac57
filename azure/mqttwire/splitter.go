package mqttwire

import (
	"errors"
	"fmt"
	"time"
)

// ErrRemainingLength says that a packet's remaining length does not end within
// its four bytes (MQTT 2.2.3).
var ErrRemainingLength = errors.New("remaining length of more than four bytes")

// Splitter cuts a byte stream into control packets. One direction of one
// connection has one. Its memory is bounded by maxPacket, whatever length a
// packet declares. Not safe for concurrent use.
type Splitter struct {
	max  int
	now  func() time.Time
	head [maxHeader]byte
	got  int    // bytes of head
	buf  []byte // the unfinished packet, once its header is complete
	need int    // bytes of buf that complete it; 0 while its header is unfinished
	skip int    // bytes to come that belong to a truncated packet
	err  error
}

// NewSplitter makes a Splitter that keeps packets whole up to maxPacket bytes
// (0: DefaultMaxPacket). now gives the moments; nil is time.Now.
func NewSplitter(maxPacket int, now func() time.Time) *Splitter {
	if maxPacket <= 0 {
		maxPacket = DefaultMaxPacket
	}
	if now == nil {
		now = time.Now
	}
	return &Splitter{max: max(maxPacket, maxHeader), now: now}
}

const (
	maxHeader = 5   // type and flags, and at most four bytes of remaining length
	firstPart = 256 // bytes that are made room for before they have come
)

// Feed takes the next bytes of the stream and returns the packets that they
// complete, as [Splitter.Next] gives them one by one.
func (s *Splitter) Feed(b []byte) []Frame {
	var frames []Frame
	for len(b) > 0 && s.err == nil {
		f, rest, ok := s.Next(b)
		if ok {
			frames = append(frames, f)
		}
		b = rest
	}
	return frames
}

// Next takes bytes of the stream up to the end of the next packet, and returns
// that and the bytes behind it; without ok all of b was taken and completes
// none. A packet over the limit is returned, Truncated, as soon as the limit is
// reached, and its rest is skipped. After an error ([Splitter.Err]), nothing
// more is returned. b is not kept.
func (s *Splitter) Next(b []byte) (f Frame, rest []byte, ok bool) {
	for len(b) > 0 && s.err == nil {
		switch {
		case s.skip > 0:
			n := min(s.skip, len(b))
			s.skip -= n
			b = b[n:]
			continue
		case s.need == 0:
			s.header(b[0])
			b = b[1:]
			if s.need > 0 {
				s.begin(len(b))
			}
		default:
			n := min(s.need-len(s.buf), len(b))
			s.room(n)
			s.buf = append(s.buf, b[:n]...)
			b = b[n:]
		}
		if s.need > 0 && len(s.buf) == s.need {
			return s.finish(), b, true
		}
	}
	return Frame{}, nil, false
}

// header takes one byte of the fixed header, and knows at its last how long
// the packet is.
func (s *Splitter) header(c byte) {
	s.head[s.got] = c
	s.got++
	switch {
	case s.got == 1 || c&0x80 != 0 && s.got < maxHeader:
	case c&0x80 != 0:
		s.err = fmt.Errorf("packet begins with % x: %w", s.head[:s.got], ErrRemainingLength)
	default:
		s.need = min(s.got+remaining(s.head[:s.got]), s.max)
	}
}

// begin makes room for a packet of which so many bytes are there.
func (s *Splitter) begin(there int) {
	s.buf = make([]byte, s.got, min(s.need, max(s.got+there, firstPart)))
	copy(s.buf, s.head[:s.got])
}

// room makes room for n bytes more: for what has come, and three times that.
func (s *Splitter) room(n int) {
	if len(s.buf)+n <= cap(s.buf) {
		return
	}
	more := make([]byte, len(s.buf), min(s.need, max(len(s.buf)+n, 4*cap(s.buf))))
	copy(more, s.buf)
	s.buf = more
}

func (s *Splitter) finish() Frame {
	f := Frame{At: s.now(), Header: s.head[0], Remaining: remaining(s.head[:s.got]), Raw: s.buf, HeaderSize: s.got}
	s.skip = f.Size() - len(f.Raw)
	f.Truncated = s.skip > 0
	s.buf, s.need, s.got = nil, 0, 0
	return f
}

// Err says why the stream can no longer be cut; nil while it can. It wraps
// [ErrRemainingLength].
func (s *Splitter) Err() error { return s.err }

// Pending is how many bytes of an unfinished packet have come, those of a
// truncated one that are skipped not counted.
func (s *Splitter) Pending() int { return max(s.got, len(s.buf)) }

// remaining reads the remaining length of a complete fixed header.
func remaining(packet []byte) int {
	n := 0
	for i, c := range packet[1:min(len(packet), maxHeader)] {
		n |= int(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			break
		}
	}
	return n
}

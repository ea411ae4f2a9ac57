package link

import (
	"fmt"
	"strings"
	"time"
)

// Shape is what a link is like; each zero field leaves the host's network as
// it is. Both directions are alike, and each has a Rate of its own.
type Shape struct {
	Latency time.Duration // one way; half of what a ping shows
	Jitter  time.Duration // the latency is up to this much more or less
	Rate    int           // bytes a second, in thousands of them; 0: as fast as it goes
	Stalls  Stalls
	End     End           // how the link ends, After its connection was accepted
	After   time.Duration // 0: at once
	Bytes   int           // more than 0: the end comes behind so many bytes instead, of both directions together
	Way     Way           // of a black hole
}

// Stalls are moments in which a segment is held up, and what is behind it with
// it, as when one was lost. They are counted over both directions, not drawn,
// so that every run meets the same ones, and no answer pays for two.
type Stalls struct {
	First int // the segment of a connection that is held up first, from 1
	Every int // and every so-many-th behind it; 0: none
	For   time.Duration
}

// End is how a link ends.
type End string

// The ends.
const (
	Stays     End = ""           // it does not
	Cut       End = "cut"        // closed (FIN)
	Reset     End = "reset"      // a TCP reset
	BlackHole End = "black-hole" // stays open, and nothing gets through either way
)

// Way is which way nothing gets through a black hole; the other stays open.
type Way string

// The ways.
const (
	BothWays Way = ""
	ToDevice Way = "to the device"
	ToHub    Way = "to the hub"
)

// IsZero reports whether nothing is shaped.
func (s Shape) IsZero() bool { return s == Shape{} }

// String says in a line what the link is like.
func (s Shape) String() string {
	var said []string
	if s.Latency > 0 {
		text := fmt.Sprintf("%s each way", s.Latency)
		if s.Jitter > 0 {
			text += fmt.Sprintf(" ± %s", s.Jitter)
		}
		said = append(said, text)
	}
	if s.Rate > 0 {
		said = append(said, fmt.Sprintf("%g kB/s", float64(s.Rate)/1000))
	}
	if s.Stalls.Every > 0 {
		said = append(said, fmt.Sprintf("stalls of %s at every %dth segment", s.Stalls.For, s.Stalls.Every))
	}
	if s.End != Stays {
		text := strings.TrimSpace(string(s.End) + " " + string(s.Way))
		if s.Bytes > 0 {
			said = append(said, fmt.Sprintf("%s behind %d bytes", text, s.Bytes))
		} else {
			said = append(said, fmt.Sprintf("%s after %s", text, s.After))
		}
	}
	return strings.Join(said, ", ")
}

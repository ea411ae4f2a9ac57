package console

import (
	"fmt"
	"strconv"
	"time"
)

// side is one direction's line in the making.
type side struct {
	t     *Transcript
	dir   Direction
	mask  *masker
	timer *time.Timer // writes the line when the direction falls silent
	last  time.Time   // the last byte

	text   []byte // printable form of what is done
	plain  []byte // bytes that are to be shown and are not in text yet
	hidden int    // bytes of a key that are not in text yet
	size   int    // bytes in all
	began  time.Time
	ended  time.Time
	cr     bool // the last byte shown was a carriage return
}

func (s *side) open(t *Transcript, dir Direction) {
	s.t, s.dir = t, dir
	s.mask = newMasker(t.known, s.put, func(c coding, piece uint64) {
		if dir == Received {
			t.exposed.found(c, piece, s.last)
		}
	})
}

// add takes bytes; the transcript is locked.
func (s *side) add(b []byte, at time.Time) {
	if at.Sub(s.last) > silence {
		s.flush()
	}
	s.last = at
	s.mask.feed(b, at)
	switch {
	case s.size == 0 && len(s.mask.held) == 0:
		if s.timer != nil {
			s.timer.Stop()
		}
	case s.timer == nil:
		s.timer = time.AfterFunc(silence, s.silent)
	default:
		s.timer.Reset(silence)
	}
}

func (s *side) silent() {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.flush()
}

// put takes a byte from the masker, in order.
func (s *side) put(b byte, masked bool, at time.Time) {
	if s.cr && (masked || b != '\n') {
		s.end()
	}
	if s.size == 0 {
		s.began = at
	}
	s.size++
	s.ended = at
	switch {
	case masked:
		s.show()
		s.hidden++
	default:
		s.unhide()
		s.plain = append(s.plain, b)
		s.cr = b == '\r'
	}
	if b == '\n' && !masked || s.size >= longest {
		s.end()
	}
}

func (s *side) show() {
	s.text = appendPrintable(s.text, s.plain)
	s.plain = s.plain[:0]
}

func (s *side) unhide() {
	if s.hidden > 0 {
		s.text = fmt.Appendf(s.text, "[key masked: %d bytes]", s.hidden)
		s.hidden = 0
	}
}

// end writes the line in the making, if there is one.
func (s *side) end() {
	if s.size == 0 {
		return
	}
	s.show()
	s.unhide()
	text := string(s.text)
	s.text, s.size, s.cr = s.text[:0], 0, false
	s.t.line(s.dir, text, s.began, s.ended)
}

// flush writes what there is, line end or not.
func (s *side) flush() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mask.flush()
	s.end()
}

// seconds is a moment of the run's clock, signed, to the microsecond.
func seconds(at float64) string {
	text := strconv.FormatFloat(at, 'f', 6, 64)
	if at < 0 {
		return text
	}
	return "+" + text
}

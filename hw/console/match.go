package console

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"

	"hilrig/record"
)

// Cursor is a place in what was received, in bytes from the beginning.
type Cursor int64

// Matcher finds something in received bytes; start is negative where it is not
// there (yet).
type Matcher interface {
	Find(b []byte) (start, end int)
	String() string
}

type text string

func (t text) Find(b []byte) (int, int) {
	i := bytes.Index(b, []byte(t))
	return i, i + len(t)
}
func (t text) String() string { return string(t) }

// Text matches itself.
func Text(s string) Matcher { return text(s) }

type pattern struct{ re *regexp.Regexp }

func (p pattern) Find(b []byte) (int, int) {
	if m := p.re.FindIndex(b); m != nil {
		return m[0], m[1]
	}
	return -1, 0
}
func (p pattern) String() string { return p.re.String() }

// Regexp matches an expression.
func Regexp(re *regexp.Regexp) Matcher { return pattern{re} }

// Match is what an Expect has found.
type Match struct {
	Which      int // of the matchers
	Start, End Cursor
	Text       string
	At         time.Time // when its last byte came
}

// window is how much of what was received stays in memory. A cursor from
// before it continues at its beginning.
const window = 4 << 20

// stream keeps what was received, and when.
type stream struct {
	mu     sync.Mutex
	base   Cursor // of data[0]
	data   []byte
	chunks []chunk
	more   chan struct{} // closed and replaced at every change
	err    error         // why nothing more comes
}

type chunk struct {
	end Cursor
	at  time.Time
}

func newStream() *stream { return &stream{more: make(chan struct{})} }

func (s *stream) add(b []byte, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, b...)
	s.chunks = append(s.chunks, chunk{s.base + Cursor(len(s.data)), at})
	if len(s.data) > 2*window {
		cut := len(s.data) - window
		s.data = append([]byte(nil), s.data[cut:]...)
		s.base += Cursor(cut)
		i := sort.Search(len(s.chunks), func(i int) bool { return s.chunks[i].end > s.base })
		s.chunks = append([]chunk(nil), s.chunks[i:]...)
	}
	s.wake()
}

func (s *stream) wake() {
	close(s.more)
	s.more = make(chan struct{})
}

func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.wake()
}

func (s *stream) end() Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base + Cursor(len(s.data))
}

// after is what was received from the cursor on; more is closed when there is
// more of it.
func (s *stream) after(from Cursor) (b []byte, at Cursor, more <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = min(max(from, s.base), s.base+Cursor(len(s.data)))
	return s.data[at-s.base : len(s.data) : len(s.data)], at, s.more, s.err
}

// arrival is when the byte before the cursor came.
func (s *stream) arrival(end Cursor) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := sort.Search(len(s.chunks), func(i int) bool { return s.chunks[i].end >= end })
	if i == len(s.chunks) {
		return time.Time{}
	}
	return s.chunks[i].at
}

// find looks for the first of the matchers' matches from the cursor on. Of two
// that begin at the same place the longer wins.
func (s *stream) find(b []byte, at Cursor, ms []Matcher) (Match, bool) {
	best := Match{Which: -1}
	for i, m := range ms {
		start, end := m.Find(b)
		if start < 0 {
			continue
		}
		a, e := at+Cursor(start), at+Cursor(end)
		if best.Which < 0 || a < best.Start || a == best.Start && e > best.End {
			best = Match{Which: i, Start: a, End: e, Text: string(b[start:end])}
		}
	}
	if best.Which < 0 {
		return best, false
	}
	best.At = s.arrival(best.End)
	return best, true
}

// expect waits for the first match from the cursor on.
func (s *stream) expect(ctx context.Context, from Cursor, ms []Matcher) (Match, error) {
	for {
		b, at, more, err := s.after(from)
		if m, ok := s.find(b, at, ms); ok {
			return m, nil
		}
		if err != nil {
			return Match{}, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Match{}, context.Cause(ctx)
		}
	}
}

// notSeen is the device's failure to say something.
func (c *Console) notSeen(step string, ms []Matcher, cause error) error {
	var names []string
	for _, m := range ms {
		names = append(names, fmt.Sprintf("%q", m.String()))
	}
	return record.NewFailure(record.Device, step, strings.Join(names, " or "), cause)
}

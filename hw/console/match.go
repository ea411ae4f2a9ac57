package console

import (
	"bytes"
	"fmt"
	"regexp"
	"time"
)

// Matcher finds something in received bytes, of which more may come: start and
// end of the first place, or a negative start. A matcher that is a
// [fmt.Stringer] is named so in errors.
type Matcher interface {
	Find(b []byte) (start, end int)
}

// bounded is a matcher that says how many bytes, at most, of what it has seen
// without finding anything may still be part of something. Without it all is
// looked at again when more comes.
type bounded interface{ Behind() int }

type text string

func (t text) Find(b []byte) (start, end int) {
	i := bytes.Index(b, []byte(t))
	return i, i + len(t)
}
func (t text) Behind() int    { return max(0, len(t)-1) }
func (t text) String() string { return string(t) }

// Text matches itself.
func Text(s string) Matcher { return text(s) }

type pattern struct{ re *regexp.Regexp }

func (p pattern) Find(b []byte) (start, end int) {
	if m := p.re.FindIndex(b); m != nil {
		return m[0], m[1]
	}
	return -1, -1
}
func (p pattern) Behind() int    { return 64 << 10 }
func (p pattern) String() string { return p.re.String() }

// Regexp matches an expression. Anchors hold at the cursor that is searched
// from; a match may be 64 kB long.
func Regexp(re *regexp.Regexp) Matcher { return pattern{re} }

func nameOf(m Matcher) string {
	if s, ok := m.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", m)
}

// Match is what an [Console.Expect] has found.
type Match struct {
	Which      int // of the matchers, from 0
	Start, End Cursor
	Text       string    // raw: it may hold a key
	At         time.Time // when its last byte came
}

// search looks for matchers in a stream that grows.
type search struct {
	from     Cursor
	matchers []Matcher
	again    []Cursor // per matcher: where to look from the next time
}

func newSearch(from Cursor, ms []Matcher) *search {
	s := &search{from: from, matchers: ms, again: make([]Cursor, len(ms))}
	for i := range s.again {
		s.again[i] = from
	}
	return s
}

// next looks at what there is: b, which begins at the cursor base. Of several
// matches it is the one that ends first, because that one is there first
// however the stream was cut up; of those that end together the first matcher's.
func (s *search) next(b []byte, base Cursor) (Match, bool) {
	best := Match{Which: -1}
	for i, m := range s.matchers {
		at := min(max(s.again[i], base), base+Cursor(len(b)))
		start, end := m.Find(b[at-base:])
		if start < 0 {
			if k, ok := m.(bounded); ok {
				s.again[i] = max(at, base+Cursor(len(b)-k.Behind()))
			}
			continue
		}
		if e := at + Cursor(end); best.Which < 0 || e < best.End {
			best = Match{Which: i, Start: at + Cursor(start), End: e, Text: string(b[at-base:][start:end])}
		}
	}
	return best, best.Which >= 0
}

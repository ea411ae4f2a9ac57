package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hilrig/record"
)

// Direction of bytes, as seen from the harness.
type Direction byte

// The directions.
const (
	Sent     Direction = '>'
	Received Direction = '<'
)

// Transcript writes every byte of both directions as it comes: one line per
// line, or per stretch without one, with the moment of its first byte:
//
//	2026-11-22T23:15:01.123456Z +12.345678 < COMMAND PROCESSED OK\r\n
//
// What is not printable is escaped as in Go. Private keys are masked, their
// length is kept. The file is valid at every line end.
type Transcript struct {
	w     io.Writer
	clock record.Clock

	mu      sync.Mutex
	known   secrets
	sides   map[Direction]*side
	offset  int64
	err     error
	tail    []string
	onLine  func(Direction, string, time.Time)
	flusher *time.Timer
	closed  bool
}

// A stretch of bytes becomes a line of its own when the line falls silent for
// this long, or at this length.
const (
	silence = 100 * time.Millisecond
	longest = 4096
	keep    = 400 // lines for Tail
)

// NewTranscript writes to w, which nobody else may write to.
func NewTranscript(w io.Writer, clock record.Clock) *Transcript {
	t := &Transcript{w: w, clock: clock}
	t.sides = map[Direction]*side{Sent: t.newSide(Sent), Received: t.newSide(Received)}
	t.flusher = time.AfterFunc(time.Hour, t.flushSilent)
	t.flusher.Stop()
	return t
}

// side is the line in the making of one direction.
type side struct {
	dir    Direction
	mask   masker
	text   strings.Builder
	hidden int
	began  time.Time // of the line in the making
	last   time.Time
}

func (t *Transcript) newSide(dir Direction) *side {
	s := &side{dir: dir}
	s.mask = masker{known: &t.known, emit: func(b byte, masked bool) { t.put(s, b, masked) }}
	return s
}

// Secret makes a private key known: no piece of it is ever written.
func (t *Transcript) Secret(keyPEM []byte) { t.known.add(keyPEM) }

// Add takes bytes of one direction that came, or went, at the moment at.
func (t *Transcript) Add(dir Direction, b []byte, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sides[dir]
	if !s.last.IsZero() && at.Sub(s.last) > silence {
		t.end(s)
	}
	s.last = at
	s.mask.feed(b)
	if !t.closed {
		t.flusher.Reset(silence)
	}
}

func (t *Transcript) put(s *side, b byte, masked bool) {
	if s.began.IsZero() {
		s.began = s.last
	}
	if masked {
		s.hidden++
		return
	}
	s.unhide()
	writePrintable(&s.text, b)
	if b == '\n' || s.text.Len() >= longest {
		t.line(s)
	}
}

func (s *side) unhide() {
	if s.hidden > 0 {
		fmt.Fprintf(&s.text, "[key masked: %d bytes]", s.hidden)
		s.hidden = 0
	}
}

// writePrintable writes a byte so that the line stays one line and can be read
// back: backslash and everything outside printable ASCII is escaped.
func writePrintable(w *strings.Builder, b byte) {
	switch {
	case b == '\n':
		w.WriteString(`\n`)
	case b == '\r':
		w.WriteString(`\r`)
	case b == '\t':
		w.WriteString(`\t`)
	case b == '\\':
		w.WriteString(`\\`)
	case b < 0x20 || b >= 0x7f:
		fmt.Fprintf(w, `\x%02x`, b)
	default:
		w.WriteByte(b)
	}
}

// end closes the line in the making, for whatever reason.
func (t *Transcript) end(s *side) {
	s.mask.pause()
	t.line(s)
}

func (t *Transcript) line(s *side) {
	s.unhide()
	if s.text.Len() == 0 {
		return
	}
	text := s.text.String()
	s.text.Reset()
	at := s.began
	s.began = time.Time{}
	out := fmt.Sprintf("%s %+.6f %c %s\n", at.UTC().Format("2006-01-02T15:04:05.000000Z"), t.clock.At(at), s.dir, text)
	n, err := io.WriteString(t.w, out)
	t.offset += int64(n)
	if err != nil && t.err == nil {
		t.err = err
	}
	if t.tail = append(t.tail, strings.TrimSuffix(out, "\n")); len(t.tail) > 2*keep {
		t.tail = append(t.tail[:0], t.tail[keep:]...)
	}
	if t.onLine != nil {
		t.onLine(s.dir, text, at)
	}
}

func (t *Transcript) flushSilent() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flushLocked()
}

func (t *Transcript) flushLocked() {
	for _, dir := range []Direction{Sent, Received} {
		t.end(t.sides[dir])
	}
}

// Flush writes what is still in the making.
func (t *Transcript) Flush() { t.flushSilent() }

// Close flushes; the writer stays the caller's.
func (t *Transcript) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.flusher.Stop()
	t.flushLocked()
}

// Offset is the length of what has been written, in bytes.
func (t *Transcript) Offset() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.offset
}

// Err is the first error of the writer: the disk is full.
func (t *Transcript) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Tail is the last n lines, masked, what is in the making included.
func (t *Transcript) Tail(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flushLocked()
	return append([]string(nil), t.tail[max(0, len(t.tail)-n):]...)
}

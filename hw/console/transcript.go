package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hilrig/record"
)

// A console that floods does not fill the disk: beyond mostKept bytes of a
// transcript nothing more that is received is written, but for mostMore from
// each [Transcript.Renew] on.
const (
	mostKept = 64 << 20
	mostMore = 64 << 10
)

// Direction of bytes, as seen from the harness.
type Direction byte

// The directions. A note is no byte of the line: it says that the line went
// away or came back.
const (
	Sent     Direction = '>'
	Received Direction = '<'
	Note     Direction = '!'
)

// A stretch of bytes becomes a line of the transcript at its line end, when the
// line falls silent for this long, or at this length in bytes.
const (
	silence = 100 * time.Millisecond
	longest = 4096
)

// What Tail can give at most.
const (
	tailLines = 400
	tailBytes = 256 << 10
)

// Transcript writes every byte of both directions as it comes: one line per
// line, or per stretch without one, with the moment of its first byte in UTC
// and in seconds of the run's clock:
//
//	2026-11-22T23:15:01.123456Z +12.345678 < COMMAND PROCESSED OK\r\n
//
// What is not printable is escaped as in Go (\r, \n, \t, \\, \xNN). Private
// keys are masked, their length is kept: [key masked: 1703 bytes]. What is
// written is valid at every line end. It may be used by several goroutines.
//
// What a console sends beyond 64 MB is not written, and a line says so; what is
// sent to it always is.
type Transcript struct {
	w     io.Writer
	clock record.Clock

	mu       sync.Mutex
	known    *secrets
	exposed  exposed
	sent     side
	received side
	offset   int64
	most     int64 // mostKept
	room     int64 // offset up to which what is received is written
	unkept   int64 // bytes of the lines that were not, since the last line that says so
	full     bool  // that line is written
	err      error
	tail     []tailLine
	tailSize int
	onLine   func(dir Direction, text string, at time.Time)
}

type tailLine struct {
	dir    Direction
	ended  time.Time // its last byte
	line   string
	prefix int // bytes of line before the text
}

// NewTranscript writes to w, which nobody else may write to. After the first
// error nothing more is written: see [Transcript.Err].
func NewTranscript(w io.Writer, clock record.Clock) *Transcript {
	t := &Transcript{w: w, clock: clock, known: newSecrets(), most: mostKept, room: mostKept}
	t.sent.open(t, Sent)
	t.received.open(t, Received)
	return t
}

// Secret makes a private key known, in PEM form or any other base64 text: none
// of it is shown from now on, in whatever coding it comes (base64 of any
// alignment, raw bytes, hex, decimal, octal or escaped ones, its numbers
// alone), wrapped anyhow, with text between and with bytes lost. What may be
// seen of it are pieces too short to be told from chance: nine characters of
// base64 or six bytes, and no two of them in a row.
func (t *Transcript) Secret(key []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known.add(key)
}

// Public makes a certificate known, so that nothing in it is taken for a piece
// of a key. The public half of a known key is no secret anyway.
func (t *Transcript) Public(certificate []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known.addPublic(certificate)
}

// Add takes bytes that came, or go, at the moment at.
func (t *Transcript) Add(dir Direction, b []byte, at time.Time) {
	if len(b) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.received
	if dir == Sent {
		s = &t.sent
	}
	s.add(b, at)
}

// Note writes a line of our own.
func (t *Transcript) Note(text string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	t.line(Note, string(appendPrintable(nil, []byte(text))), at, at)
}

// Flush writes what is in the making, without waiting for its line end.
func (t *Transcript) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
}

// sentWhole ends the line in the making of what is sent: a command is whole,
// whatever ends its line.
func (t *Transcript) sentWhole() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.flush()
}

func (t *Transcript) flush() {
	t.sent.flush()
	t.received.flush()
}

// Renew lets a little more be written of a console that floods: of each spec
// there is to be something.
func (t *Transcript) Renew(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sayUnkept(at)
	t.room = max(t.most, t.offset+mostMore)
}

// End writes what is in the making, and how much was not kept.
func (t *Transcript) End(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	t.sayUnkept(at)
}

func (t *Transcript) sayUnkept(at time.Time) {
	if t.unkept > 0 {
		t.line(Note, fmt.Sprintf("%d bytes received were not kept", t.unkept), at, at)
	}
	t.unkept, t.full = 0, false
}

// keeps reports whether there is room for a line, and says once when there is
// none any more.
func (t *Transcript) keeps(dir Direction, size int, at time.Time) bool {
	if dir != Received || t.offset+int64(size) < t.room {
		return true
	}
	t.unkept += int64(size)
	if !t.full {
		t.full = true
		t.line(Note, fmt.Sprintf("the console floods: more than %d MB are in this transcript, and what is received from here on is not kept", t.most>>20), at, at)
	}
	return false
}

// Offset is the length of what has been written, in bytes.
func (t *Transcript) Offset() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.offset
}

// Err is the first error of the writer: a full disk.
func (t *Transcript) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Tail is the last n lines, masked, what is in the making included.
func (t *Transcript) Tail(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	lines := make([]string, 0, n)
	for _, l := range t.tail[max(0, len(t.tail)-n):] {
		lines = append(lines, l.line)
	}
	return lines
}

// heard is the text of the last n lines received since a moment, masked.
func (t *Transcript) heard(since time.Time, n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	var texts []string
	for i := len(t.tail) - 1; i >= 0 && len(texts) < n; i-- {
		if l := t.tail[i]; l.dir == Received && !l.ended.Before(since) {
			texts = append([]string{l.line[l.prefix:]}, texts...)
		}
	}
	return texts
}

// line writes one line of the transcript.
func (t *Transcript) line(dir Direction, text string, began, ended time.Time) {
	var b strings.Builder
	b.WriteString(began.UTC().Format("2006-01-02T15:04:05.000000Z "))
	b.WriteString(seconds(t.clock.At(began)))
	b.WriteByte(' ')
	b.WriteByte(byte(dir))
	b.WriteByte(' ')
	prefix := b.Len()
	b.WriteString(text)
	t.remember(tailLine{dir: dir, ended: ended, line: b.String(), prefix: prefix})
	if t.keeps(dir, b.Len()+1, began) && t.err == nil {
		b.WriteByte('\n')
		n, err := io.WriteString(t.w, b.String())
		t.offset += int64(n)
		t.err = err
	}
	if t.onLine != nil && dir != Note {
		t.onLine(dir, text, began)
	}
}

func (t *Transcript) remember(l tailLine) {
	t.tail = append(t.tail, l)
	t.tailSize += len(l.line)
	drop := 0
	for ; len(t.tail)-drop > tailLines || t.tailSize > tailBytes && drop < len(t.tail)-1; drop++ {
		t.tailSize -= len(t.tail[drop].line)
	}
	t.tail = append(t.tail[:0], t.tail[drop:]...)
}

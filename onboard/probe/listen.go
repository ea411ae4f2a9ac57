package probe

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"hilrig/hw/console"
	"hilrig/record"
)

// Sound is what a board says unasked.
type Sound struct {
	For   time.Duration
	Bytes int
	Lines int
	Text  bool // what it says is text; also where it says nothing
}

// String is for people.
func (s Sound) String() string {
	switch {
	case s.Bytes == 0:
		return "it is silent"
	case !s.Text:
		return fmt.Sprintf("%d bytes that are no text", s.Bytes)
	}
	return fmt.Sprintf("it says %d lines unasked in %s", s.Lines, s.For)
}

// Listen hears what the board says unasked, for so long.
func (b *Board) Listen(ctx context.Context, d time.Duration) (Sound, error) {
	b.say("listening for %s", d)
	mark := b.con.Mark()
	if err := b.rest(ctx, d); err != nil {
		return Sound{}, err
	}
	heard := b.con.Received(mark)
	const spike = 4 // bytes that may come of the line being opened
	s := Sound{For: d, Bytes: len(heard), Text: len(heard) <= spike || isText(heard)}
	for _, line := range whole(heard) {
		s.Lines++
		if !b.late(line) {
			b.noise[console.WithoutNumbers(line)] = true
		}
	}
	b.Profile.Sound = s
	if !s.Text {
		return s, b.noText("listen to", heard)
	}
	return s, nil
}

// late reports whether a line that came unasked may be the answer to somebody
// before us: a refusal that comes for the first time. A board that says it all
// the time says it again.
func (b *Board) late(line string) bool {
	if !strings.Contains(line, refusal) || b.heardOnce[console.WithoutNumbers(line)] {
		return false
	}
	b.heardOnce[console.WithoutNumbers(line)] = true
	return true
}

func (b *Board) noText(step string, heard []byte) error {
	return record.NewFailure(record.ClassDevice, step, b.name, fmt.Errorf("%d bytes came that are no text: %q", len(heard), clip(heard, 40))).
		WithCure(fmt.Sprintf("is %d its baud rate? --baud tries another", b.baud))
}

// rest waits, unless the line or the context ends.
func (b *Board) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.con.Done():
		return b.con.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isText reports whether most of it is printable: a line at another rate is
// not.
func isText(b []byte) bool {
	odd := 0
	for _, c := range b {
		if c < ' ' && c != '\r' && c != '\n' && c != '\t' && c != 0x1b && c != '\b' || c >= 0x7f {
			odd++
		}
	}
	return odd*5 <= len(b)
}

// whole are the lines that have ended, without what is empty.
func whole(b []byte) []string {
	end := bytes.LastIndexAny(b, "\r\n")
	if end < 0 {
		return nil
	}
	return lines(b[:end])
}

func lines(b []byte) (all []string) {
	for _, l := range strings.FieldsFunc(string(b), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

func clip(b []byte, n int) []byte { return b[:min(n, len(b))] }

// fresh are the lines that are neither an echo of what was sent nor something
// that the board says unasked.
func (b *Board) fresh(all []string, sent string) (out []string) {
	for _, l := range all {
		if sent != "" {
			if at := strings.Index(l, sent); at >= 0 {
				l = strings.TrimSpace(l[at+len(sent):])
			}
		}
		if l != "" && !b.noise[console.WithoutNumbers(l)] {
			out = append(out, l)
		}
	}
	return out
}

// answer matches the first line that is fresh, once it has ended.
type answer struct {
	b    *Board
	sent string
}

func (a answer) String() string { return "an answer" }

func (a answer) Find(received []byte) (start, end int) {
	for i, c := range received {
		if c != '\r' && c != '\n' {
			continue
		}
		if i > start && len(a.b.fresh(lines(received[start:i]), a.sent)) > 0 {
			return start, i
		}
		start = i + 1
	}
	return -1, -1
}

// reply waits for one of the texts, or for any other answer; then it gives the
// board a moment to say the text after all. A last line that has not ended
// counts when nothing follows it.
func (b *Board) reply(ctx context.Context, from console.Cursor, sent string, within, settle time.Duration, texts ...string) (said string, at time.Time, err error) {
	var ms []console.Matcher
	for _, t := range texts {
		ms = append(ms, console.Text(t))
	}
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	m, err := b.con.Expect(waiting, from, append(ms, answer{b, sent})...)
	if err == nil && m.Which < len(texts) {
		return texts[m.Which], m.At, nil
	}
	if b.con.Err() != nil || ctx.Err() != nil {
		return "", time.Time{}, err
	}
	heardAt := m.At
	if err == nil {
		more, stop := context.WithTimeout(ctx, min(settle, within))
		defer stop()
		if m, err := b.con.Expect(more, from, ms...); err == nil && len(ms) > 0 {
			return texts[m.Which], m.At, nil
		}
		if ctx.Err() != nil {
			return "", time.Time{}, context.Cause(ctx)
		}
	}
	got := b.fresh(lines(b.con.Received(from)), sent)
	if len(got) == 0 {
		return "", time.Time{}, nil
	}
	if heardAt.IsZero() {
		heardAt = time.Now()
	}
	return got[len(got)-1], heardAt, nil
}

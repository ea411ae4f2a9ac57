package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
)

// File is what a transfer sends.
type File struct {
	Slot         int
	Name         string // for messages
	Data         []byte
	Secret       bool                  // a private key
	Command      string                // instead of 9270,<slot>
	StopAfter    int                   // > 0: stop after so many bytes, without `*`
	NoTerminator bool                  // all of it, but no `*`
	Progress     func(sent, total int) // at most about every 5 ms
}

// Receipt is what came of a transfer.
type Receipt struct {
	Slot, Bytes int
	Started     time.Time // the command was sent
	Prompted    time.Time
	First, Last time.Time // first file byte, and `*`, on the wire
	Answered    time.Time
	Answer      string // the line that ended it
	Echo        bool   // the device echoes
	Seconds     float64
	LineShare   float64 // of the line's rate, 10 bits a byte; 0 where the line has no rate
}

// What a device can do wrong in a transfer; errors.Is finds them.
var (
	ErrNoPrompt  = errors.New("no prompt for the file")
	ErrNoAnswer  = errors.New("no answer to the file")
	ErrRefused   = errors.New("refused")
	ErrPremature = errors.New("said OK before the file had ended")
)

// RefusedError is a declared failure text of the device.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return fmt.Sprintf("the device answered %q", e.Text) }

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// Transfer sends one file the guide's way: 9270,n, the prompt, the file, `*`,
// and waits for the answer.
func (c *Console) Transfer(ctx context.Context, f File) (Receipt, error) {
	t := transfer{c: c, f: f, data: c.newlines(f.Data), r: Receipt{Slot: f.Slot}}
	if err := t.check(); err != nil {
		return t.r, err
	}
	if f.Secret {
		c.script.Secret(f.Data)
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	for _, step := range []func(context.Context) error{t.command, t.file, t.answer} {
		if err := step(ctx); err != nil {
			return t.r, err
		}
	}
	return t.r, nil
}

// newlines puts a file's line ends into the form that the type takes.
func (c *Console) newlines(data []byte) []byte {
	to := map[string]string{"lf": "\n", "crlf": "\r\n", "cr": "\r"}[c.set.FileNewline]
	if to == "" {
		return data
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\n"), []byte(to))
}

// transfer is one in the making.
type transfer struct {
	c    *Console
	f    File
	data []byte
	r    Receipt
	mark Cursor    // before the command
	from Cursor    // from here on an answer is this file's
	star time.Time // `*` was not sent before
}

func (t *transfer) name() string {
	return strings.TrimSpace(t.f.Name + fmt.Sprintf(" (9270,%d)", t.f.Slot))
}

func (t *transfer) check() error {
	var cause error
	switch {
	case bytes.IndexByte(t.f.Data, '*') >= 0:
		cause = errors.New("a `*` in the file would end the transfer there")
	case t.c.set.MaxFile > 0 && len(t.data) > t.c.set.MaxFile:
		cause = fmt.Errorf("%d bytes; the device takes %d (console.max_file)", len(t.data), t.c.set.MaxFile)
	}
	if cause != nil {
		return record.NewFailure(record.Usage, "send", t.name(), cause)
	}
	return nil
}

// command sends the command and waits for the prompt where the type has one.
func (t *transfer) command(ctx context.Context) error {
	t.mark = t.c.Mark()
	t.from = t.mark
	t.r.Started = time.Now()
	command := t.f.Command
	if command == "" {
		command = fmt.Sprintf("9270,%d", t.f.Slot)
	}
	if err := t.c.write(ctx, []byte(command+t.c.set.Newline)); err != nil {
		return err
	}
	if t.c.set.Prompt == "" {
		return nil
	}
	within := t.c.set.PromptWithin
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("%w within %s", ErrNoPrompt, within))
	defer cancel()
	ms := append([]Matcher{Text(t.c.set.Prompt), answerText{t.c.set.OK, []byte(command)}}, t.refusals([]byte(command))...)
	m, err := t.c.in.expect(ctx, t.mark, ms)
	if err != nil {
		return t.device("wait for "+t.c.set.Prompt+" of", err)
	}
	t.r.Answer = t.lineAt(m)
	switch {
	case m.Which == 0:
		t.r.Prompted, t.from = m.At, m.End
		t.r.Echo = bytes.Contains(t.c.Received(t.mark)[:m.Start-t.mark], []byte(command))
		return nil
	case m.Which == 1:
		t.r.Answered = m.At
		return t.device("wait for "+t.c.set.Prompt+" of", fmt.Errorf("%w: no prompt, but %q", ErrPremature, t.r.Answer))
	}
	return t.device("send "+command+" for", &RefusedError{t.r.Answer})
}

// device books an error on the device, unless it is the line's or the caller's.
func (t *transfer) device(step string, err error) error {
	if record.ClassOf(err) == record.RigPort || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var f *record.Failure
	if errors.As(err, &f) {
		return err
	}
	if !errors.Is(err, ErrNoPrompt) && !errors.Is(err, ErrNoAnswer) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrPremature) {
		return err // the context's own cause: an interrupt
	}
	if heard := t.heard(); heard != "" && !errors.Is(err, ErrRefused) {
		err = fmt.Errorf("%w; it said %s", err, heard)
	}
	return record.NewFailure(record.Device, step, t.name(), err).WithCure("see the transcript from 9270 on")
}

// heard is the last thing that the device said, masked, for messages.
func (t *transfer) heard() string {
	if t.c.Mark() == t.mark {
		return "nothing"
	}
	lines := t.c.Tail(6)
	for i := len(lines) - 1; i >= 0; i-- {
		if _, said, ok := strings.Cut(lines[i], " < "); ok {
			return `"` + said + `"`
		}
	}
	return ""
}

// answerText is an answer of the device, as opposed to the same text in the
// echo of what was sent.
type answerText struct {
	text string
	sent []byte
}

func (a answerText) String() string { return a.text }

func (a answerText) Find(b []byte) (int, int) {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(a.text))
		if i < 0 {
			return -1, 0
		}
		start := at + i
		if line := lineAround(b, start, start+len(a.text)); !bytes.Contains(a.sent, line) {
			return start, start + len(a.text)
		}
		at = start + len(a.text)
	}
}

func lineAround(b []byte, start, end int) []byte {
	from := bytes.LastIndexAny(b[:start], "\r\n") + 1
	to := len(b)
	if i := bytes.IndexAny(b[end:], "\r\n"); i >= 0 {
		to = end + i
	}
	return bytes.TrimSpace(b[from:to])
}

func (t *transfer) refusals(sent []byte) []Matcher {
	var ms []Matcher
	for _, f := range t.c.set.Failed {
		ms = append(ms, answerText{f, sent})
	}
	return ms
}

// lineAt is the whole line of a match. Its rest may still be on its way: what
// has come by now is enough for a message.
func (t *transfer) lineAt(m Match) string {
	b, at, _, _ := t.c.in.after(t.mark)
	return string(lineAround(b, int(m.Start-at), int(m.End-at)))
}

// answer waits for the device's word on the file.
func (t *transfer) answer(ctx context.Context) error {
	if t.f.StopAfter > 0 || t.f.NoTerminator {
		return nil
	}
	within := t.c.set.OKWithin
	ctx, cancel := context.WithTimeoutCause(ctx, time.Until(t.r.Last)+within, fmt.Errorf("%w within %s of the `*`", ErrNoAnswer, within))
	defer cancel()
	ms := append([]Matcher{answerText{t.c.set.OK, t.data}}, t.refusals(t.data)...)
	m, err := t.c.in.expect(ctx, t.from, ms)
	if err != nil {
		return t.device("wait for "+t.c.set.OK+" of", err)
	}
	t.r.Answer, t.r.Answered = t.lineAt(m), m.At
	if m.Which > 0 {
		return t.device("load", &RefusedError{t.r.Answer})
	}
	if early := t.early(m); early != "" {
		return t.device("wait for "+t.c.set.OK+" of", fmt.Errorf("%w: %s", ErrPremature, early))
	}
	return nil
}

// early says how an OK is known to be older than the `*`: it was there before
// the `*` was sent, or it stands before the echo of it.
func (t *transfer) early(m Match) string {
	if m.At.Before(t.star) {
		return fmt.Sprintf("%s before the `*` was sent", t.star.Sub(m.At).Round(time.Millisecond))
	}
	b, at, _, _ := t.c.in.after(t.from)
	if t.r.Echo && bytes.IndexByte(b[:m.Start-at], '*') < 0 {
		return "it stands before the echo of the `*`"
	}
	return ""
}

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

// terminator ends a file (guide section 4).
const terminator = '*'

// File is what a transfer sends.
type File struct {
	Slot         Slot
	Name         string // for messages
	Data         []byte // must not contain the `*`
	Secret       bool   // a private key: masked in every form
	Command      string // sent instead of the slot's
	Raw          bool   // line ends as they are, whatever the type's policy
	StopAfter    int    // > 0: so many bytes as sent, no `*`, no waiting for an answer
	NoTerminator bool   // the whole file, no `*`, no waiting for an answer
	// Progress is called by the transfer after each write, at most every 5 ms
	// or so and at the end, with bytes as sent. It must not block for long.
	Progress func(sent, total int)
}

// Receipt is what came of a transfer, as far as it got.
type Receipt struct {
	Slot        Slot
	Bytes       int       // of the file as sent, without the `*`
	Started     time.Time // the command was sent
	Prompted    time.Time // the prompt had come
	First, Last time.Time // the first byte of the file, and the `*`, on the wire; where its echo is late, that
	Answered    time.Time // the answer had come
	Answer      string    // the type's OK or failure text
	Opened      bool      // a file was begun, as far as is known: the command was sent, and not refused at once
	Echo        bool      // the device echoes commands
	Seconds     float64   // from First to Last
	Foreign     int       // lines of the device's own in between: neither echo nor prompt nor answer
	Missing     int       // bytes of the file, line ends aside, that a device which echoes files did not echo
	Again       int       // how often the OK to the file before came once more, before the prompt for this one
	Sent        int       // where some are missing: bytes of the file, line ends aside
	LineShare   float64   // of the line's rate, 1 is all of it; 0 where the line has no rate
}

// What a device can do wrong in a transfer; errors.Is finds them.
var (
	ErrNoPrompt  = errors.New("no prompt for the file")
	ErrNoAnswer  = errors.New("no answer to the file")
	ErrRefused   = errors.New("refused")
	ErrPremature = errors.New("said OK before the file had ended")
)

// RefusedError is a declared failure text that the device has answered.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return fmt.Sprintf("the device answered %q", e.Text) }

// Unwrap makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// transfer is one in the making.
type transfer struct {
	c       *Console
	l       *link
	f       File
	command string
	data    []byte // as sent
	secret  []byte // the same, if it is a key
	r       Receipt
	mark    Cursor // before the command
	echo    *echo
	answers *answers  // to the command, then to the file: 0 is the type's OK
	refused refusals  // failure texts that were seen, until they are believed
	owed    bool      // what was sent before the command may still be answered
	ended   bool      // as asked for: stopped, or without a `*`
	okEnd   Cursor    // of the answer
	behind  Cursor    // the same of the file before, where nothing was sent since; 0: something was
	star    time.Time // before the `*` was handed over
	atStar  Cursor    // what had been received then
}

// Transfer sends one file the guide's way (section 4): the command, the prompt
// where the type has one, the file with the type's line ends, `*` once, and the
// wait for the answer. Errors are failures of class device with the cause
// [ErrNoPrompt], [ErrNoAnswer], [ErrRefused] or [ErrPremature], of class
// rig:port where the line broke, of class usage for a file that cannot be sent;
// a context that ends first has no class. A transfer that the device has not
// answered may have left it in the middle of a file ([Console.InFile]): before
// the next command the console is brought back, and where it does not come back
// the cause is [ErrNoPrompt] and [ErrNotBack].
func (c *Console) Transfer(ctx context.Context, f File) (Receipt, error) {
	t, err := c.newTransfer(f)
	if err != nil {
		return t.r, err
	}
	release, err := c.turn(ctx)
	if err != nil {
		return t.r, fmt.Errorf("send %s: %w", t.name(), err)
	}
	defer release()
	if err := c.leaveFile(ctx); err != nil {
		return t.r, t.notBack(err)
	}
	t.l = c.current()
	c.inFile.Store(true)
	c.transcript.sending(t.secret)
	defer func() {
		if !t.r.Answered.IsZero() && !t.star.IsZero() { // before the `*` its echo still comes
			c.transcript.answered(t.r.Echo || c.echoes)
		}
	}()
	for _, step := range []func(context.Context) error{t.sendCommand, t.awaitPrompt, t.sendFile, t.terminate, t.awaitAnswer} {
		if err := step(ctx); err != nil || t.ended {
			return t.r, t.withName(err)
		}
	}
	t.answered()
	t.c.lastOK, t.c.okEnd = t.r.Answered, t.okEnd
	t.readEcho(ctx)
	t.r.Foreign = t.foreign(c.Received(t.mark))
	return t.r, nil
}

// answered says that the device has left its file: it has answered to the
// whole, or has not begun.
func (t *transfer) answered() {
	t.c.inFile.Store(false)
	t.c.owes = false // also of what came before: it answers in order
}

// notBack is the failure of a file that could not be begun.
func (t *transfer) notBack(err error) error {
	if errors.Is(err, ErrNotBack) {
		t.mark = t.c.Mark()
		return record.NewFailure(record.ClassDevice, "send the command of", t.name(), fmt.Errorf("%w: %w", ErrNoPrompt, ErrNotBack)).
			WithCure("how the firmware leaves a file: at a `*` (console.recover), or after a time without a byte (timing.abort_within)")
	}
	return fmt.Errorf("send %s: %w", t.name(), err)
}

// newTransfer checks a file, before the device is touched.
func (c *Console) newTransfer(f File) (*transfer, error) {
	newlines := c.set.FileNewline
	if f.Raw {
		newlines = "keep"
	}
	t := &transfer{c: c, f: f, command: f.Command, data: withNewlines(f.Data, newlines), r: Receipt{Slot: f.Slot}}
	if t.command == "" {
		t.command = f.Slot.Command()
	}
	var cause error
	switch {
	case bytes.IndexByte(t.data, terminator) >= 0:
		cause = errors.New("a `*` in the file would end the transfer there")
	case c.set.MaxFile > 0 && len(t.data) > c.set.MaxFile:
		cause = fmt.Errorf("%d bytes; the device takes %d (console.max_file)", len(t.data), c.set.MaxFile)
	}
	if cause != nil {
		return t, record.NewFailure(record.Usage, "send", t.name(), cause)
	}
	switch {
	case f.Secret || bytes.Contains(t.data, keyLabel): // also where a key is sent as something else
		c.transcript.Secret(t.data)
		t.secret = t.data
	case isCertificate(t.data):
		c.transcript.Public(t.data)
	}
	t.echo = newEcho(t.command, c.set.Prompt, t.data)
	return t, nil
}

// withNewlines puts a file's line ends into the form that the type takes.
func withNewlines(data []byte, policy string) []byte {
	to := map[string]string{"lf": "\n", "crlf": "\r\n", "cr": "\r"}[policy]
	if to == "" {
		return data
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\n"), []byte(to))
}

func (t *transfer) name() string { return strings.TrimSpace(t.f.Name + " (" + t.command + ")") }

// withName gives an error that has no class the words around it; those with a
// class have theirs.
func (t *transfer) withName(err error) error {
	var f *record.Failure
	if err == nil || errors.As(err, &f) && f.Class == record.ClassDevice {
		return err
	}
	return fmt.Errorf("send %s: %w", t.name(), err)
}

// fault is the device's, with what it said since the command.
func (t *transfer) fault(step string, cause error) *record.Failure {
	if t.r.Missing > 0 {
		cause = fmt.Errorf("%w; %s", cause, t.r.Lost())
	}
	f := record.NewFailure(record.ClassDevice, step, t.name(), t.c.withSeen(cause, t.mark))
	switch pauses := t.pauses(); {
	case pauses != "":
		return f.WithCure(pauses)
	case t.r.Missing > 0:
		return f.WithCure(LossCure) // the file that the device judges is not the one that was sent
	}
	return f
}

func (t *transfer) sendCommand(ctx context.Context) error {
	t.mark, t.owed = t.c.Mark(), t.c.owes
	t.behind = t.c.okEnd
	t.answers = newAnswers(t.mark, t.echo, t.c.set.OK, t.c.set.Failed...)
	t.r.Started, t.r.Opened = t.c.now(), true
	return t.c.sendWhole(ctx, t.l, []byte(t.command+t.c.set.Newline))
}

// awaitPrompt waits for the prompt where the type has one. An OK before it is
// no answer to this file: it may be a late one to the file before. Nor is a
// failure text believed before the prompt had its time: behind an echo of the
// command that is short, because a device that refuses the command sends none;
// behind something else of the device's own it is the type's.
func (t *transfer) awaitPrompt(ctx context.Context) error {
	set := t.c.set
	if set.Prompt == "" {
		return nil
	}
	s := newSearch(t.mark, []Matcher{newPainted(set.Prompt)})
	refusing := newAnswers(t.mark, t.echo, "", set.Failed...)
	last := t.c.now().Add(set.PromptWithin)
	for until := last; ; {
		err := t.c.until(ctx, t.l, until, func(now received) error {
			t.seeEcho(now)
			if m, ok := s.next(now.b, now.base); ok {
				t.r.Prompted = t.c.arrival(m.End)
				t.r.Again = t.saidAgain(m.Start)
				t.c.promptIn = max(t.c.promptIn, t.r.Prompted.Sub(t.r.Started), time.Nanosecond)
				t.answers.skipTo(m.End)
				return errFound
			}
			if m, ok := refusing.next(now); ok {
				refusing.passed(m)
				t.refused.add(m, t.r.Bytes)
				return errRefusal
			}
			return nil
		})
		switch {
		case errors.Is(err, errFound):
			t.refused = nil
			return nil
		case errors.Is(err, errRefusal):
			if t.direct(t.mark, t.refused.last()) {
				until = earlier(last, t.c.now().Add(max(t.stale(), set.RecoverQuiet)))
			}
			continue
		case err != nil:
			return err
		}
		if until.Before(last) && !t.r.Echo && t.c.repeatsLines() {
			until = last // it has not read the command yet: it answers to what was sent before
			continue
		}
		if m, ok := t.standing(0); ok {
			t.answered()
			t.r.Opened = false
			return t.refuse(m, "send the command of")
		}
		if !until.Before(last) {
			return t.noPrompt()
		}
		until = last
	}
}

func (t *transfer) noPrompt() error {
	cause := fmt.Errorf("%w within %s", ErrNoPrompt, t.c.set.PromptWithin)
	if m, ok := newAnswers(t.mark, t.echo, t.c.set.OK).next(t.c.receivedFrom(t.l, t.mark)); ok {
		t.r.Answer, t.r.Answered = m.Text, t.c.arrival(m.End)
		cause = fmt.Errorf("%w, but %q: it %w%s", cause, m.Text, ErrPremature, t.behindLast())
	}
	return t.fault("wait for "+t.c.set.Prompt+" of", cause).WithCure(t.whyNoPrompt())
}

// staleWithin is how long the prompt may come behind a refusal: that was then
// the late answer to what was sent before, such as the `*` that brings a console
// back. A device that refuses the command sends no prompt.
const staleWithin = 300 * time.Millisecond

// stale is that time for this transfer. Where the device has answered all that
// was sent before, the refusal is of this command, and a prompt behind it could
// only be of another kind of device: it gets a few times what it takes for one.
func (t *transfer) stale() time.Duration {
	if t.owed || t.c.promptIn == 0 {
		return staleWithin
	}
	return max(4*t.c.promptIn, leastSettle)
}

var (
	errFound   = errors.New("found")
	errRefusal = errors.New("a failure text came")
)

// seeEcho notes that the command has come back.
func (t *transfer) seeEcho(now received) {
	if !t.r.Echo {
		b := now.b[min(max(t.mark-now.base, 0), Cursor(len(now.b))):]
		t.r.Echo = bytes.Contains(b, []byte(t.command))
		t.echo.on = t.r.Echo
		t.c.echoes = t.c.echoes || t.r.Echo
	}
}

// sendFile sends the file. What the device says meanwhile is looked at: an OK
// cannot be an answer yet.
func (t *transfer) sendFile(ctx context.Context) error {
	data := t.data
	if t.f.StopAfter > 0 && t.f.StopAfter < len(data) {
		data = data[:t.f.StopAfter]
	}
	if d := t.c.set.ChunkDelay; d > 0 {
		if err := t.c.until(ctx, t.l, t.c.wire.free.Add(d), t.early()); err != nil {
			return err
		}
	}
	t.r.First = t.c.now()
	err := t.c.send(ctx, t.l, data, func(n int) {
		t.r.Bytes += n
		t.measure()
		if t.f.Progress != nil {
			t.f.Progress(t.r.Bytes, len(t.data))
		}
	}, t.early())
	if err != nil {
		return err
	}
	t.ended = t.f.StopAfter > 0 || t.f.NoTerminator
	if !t.ended {
		return nil
	}
	return t.c.until(ctx, t.l, t.c.wire.free, t.early()) // what was handed over is on the wire before the caller goes on
}

// early watches for what the device says before the `*` was sent. A failure
// text is not believed yet: a device that still takes bytes has not refused. One
// that answers every line with it takes them for commands.
func (t *transfer) early() func(received) error {
	return func(now received) error {
		switch _, word := t.nextWord(now); word {
		case wordOK:
			return t.fault("send", fmt.Errorf("%w: %d of %d bytes were sent%s", ErrPremature, t.r.Bytes, len(t.data), t.behindLast()))
		case wordRefusal:
			if t.refused.each(t.data, t.r.Bytes) {
				return t.refuse(t.refused[0].Match, "send")
			}
		}
		return nil
	}
}

// behindLast says how soon an OK that is no answer came behind the one to the
// file before: it may be that one once more.
func (t *transfer) behindLast() string {
	since := t.r.Answered.Sub(t.c.lastOK)
	if t.c.lastOK.IsZero() || since > saidTwiceWithin {
		return ""
	}
	return fmt.Sprintf(", %s after the OK to the file before", since.Round(time.Millisecond))
}

// saidAgain counts the OKs between the answer to the file before and the prompt
// for this one, where nothing else was sent: they are of that file.
func (t *transfer) saidAgain(prompt Cursor) int {
	if t.behind == 0 || t.c.set.OK == "" || prompt <= t.behind {
		return 0
	}
	said := t.c.Received(t.behind)
	return bytes.Count(said[:min(len(said), int(prompt-t.behind))], []byte(t.c.set.OK))
}

// saidTwiceWithin is how long behind an OK another may be the same once more.
const saidTwiceWithin = 5 * time.Second

// terminate sends the `*`, when all before it has almost left the wire.
func (t *transfer) terminate(ctx context.Context) error {
	at := t.c.wire.free.Add(-starLead)
	if t.c.set.ChunkDelay > 0 {
		at = t.c.wire.free.Add(t.c.set.ChunkDelay)
	}
	if err := t.c.until(ctx, t.l, at, t.early()); err != nil {
		return err
	}
	t.star, t.atStar = t.c.now(), t.c.Mark()
	if err := t.c.write(ctx, t.l, []byte{terminator}); err != nil {
		return err
	}
	t.c.wire.put(1, t.star)
	t.measure()
	return nil
}

// measure notes how far the file is, by the line's rate.
func (t *transfer) measure() {
	t.r.Last = t.c.wire.free
	t.share()
}

func (t *transfer) share() {
	t.r.Seconds = t.r.Last.Sub(t.r.First).Seconds()
	bytes := t.r.Bytes
	if !t.star.IsZero() {
		bytes++
	}
	if t.r.Seconds > 0 {
		t.r.LineShare = (time.Duration(bytes) * t.c.wire.perByte).Seconds() / t.r.Seconds
	}
}

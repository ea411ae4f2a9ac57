package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/hw/console"
	"hilrig/record"
)

// Load gives the board its files, as the guide does by hand. With the first it
// learns the prompt and the answer; that one must not be a secret. Progress is
// told of each file, and may be nil. It returns when the board said that it has
// stored the last.
func (b *Board) Load(ctx context.Context, files []File, progress func(f File, sent, total int)) (stored time.Time, err error) {
	if err := b.con.Use(ctx, b.settings()); err != nil {
		return stored, err
	}
	b.say("bringing the console back (`*`)")
	if err := b.con.Recover(ctx); err != nil {
		return stored, err
	}
	defer func() {
		if err != nil {
			b.leaveFile(ctx)
		}
	}()
	for i, f := range files {
		b.say("loading %s with %s", f.Slot, f.Slot.Command())
		if i == 0 {
			stored, err = b.first(ctx, f)
		} else {
			stored, err = b.next(ctx, f, progress)
		}
		if err != nil {
			return stored, err
		}
	}
	return stored, nil
}

// leaveFile brings the console back from a file that may be open, so that the
// next person at it types a command.
func (b *Board) leaveFile(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	_ = b.con.Recover(ctx) // the error of the load counts
}

// leaveWithin bounds bringing the console back at the end.
const leaveWithin = 5 * time.Second

// first loads a file whose prompt and answer are not known yet.
func (b *Board) first(ctx context.Context, f File) (time.Time, error) {
	if err := b.openFile(ctx, f); err != nil {
		return time.Time{}, err
	}
	mark := b.con.Mark()
	if err := b.con.Send(ctx, f.Data); err != nil {
		return time.Time{}, err
	}
	if err := b.con.Send(ctx, []byte("*")); err != nil {
		return time.Time{}, err
	}
	star := time.Now()
	for _, line := range lines(f.Data) {
		b.noise[console.WithoutNumbers(line)] = true // its echo
	}
	b.noise["*"] = true
	said, at, err := b.reply(ctx, mark, "*", b.wait.file, b.wait.stored, guideOK, refusal)
	switch {
	case err != nil:
		return time.Time{}, err
	case said == "":
		return time.Time{}, b.fault(f, fmt.Errorf("no answer to the file within %s", b.wait.file),
			"does its line end files with another newline, or take only so many bytes? docs/device-types.md has the keys")
	case !isText([]byte(said)):
		return time.Time{}, b.noText("load a file into", []byte(said))
	case said == refusal || soundsBad(said):
		return time.Time{}, b.fault(f, fmt.Errorf("it answered %q", said), "is the file what this firmware wants in this slot?")
	case said != guideOK && !b.confirm(ctx, said):
		return time.Time{}, b.fault(f, fmt.Errorf("it answered %q, which does not mean that it was stored", said), "")
	}
	b.Profile.OK = said
	b.Profile.OKIn.add(max(at.Sub(star), time.Millisecond))
	return at, nil
}

// openFile sends the command of a file and learns what the board says to it.
func (b *Board) openFile(ctx context.Context, f File) error {
	ends := newlines
	if b.Profile.Newline != "" {
		ends = []string{b.Profile.Newline}
	}
	command := f.Slot.Command()
	for i, nl := range ends {
		if i > 0 { // ends what the one before has left, whatever the board makes of it
			if err := b.con.Send(ctx, []byte(nl)); err != nil {
				return err
			}
			if err := b.con.Quiet(ctx, b.wait.settle, 2*b.wait.settle); err != nil {
				return err
			}
		}
		mark, sent := b.con.Mark(), time.Now()
		if err := b.con.Send(ctx, []byte(command+nl)); err != nil {
			return err
		}
		said, at, err := b.reply(ctx, mark, command, b.wait.prompt, b.wait.settle, guidePrompt, refusal)
		if err == nil && (said == refusal || soundsBad(said)) {
			if behind, late := b.behindEcho(ctx, mark, command, said); late {
				said, at, err = b.reply(ctx, behind, command, b.wait.prompt, b.wait.settle, guidePrompt, refusal)
			}
		}
		switch {
		case err != nil:
			return err
		case said == "":
			continue
		case !isText([]byte(said)):
			return b.noText("talk to", []byte(said))
		case said == refusal || soundsBad(said):
			return b.fault(f, fmt.Errorf("it answered %q to %s", said, command), "does this firmware take its files with 9270,n?")
		}
		b.Profile.Echo = b.Profile.Echo || strings.Contains(string(b.con.Received(mark)), command)
		b.Profile.Newline, b.Profile.Prompt = nl, said
		b.Profile.PromptIn.add(at.Sub(sent))
		return nil
	}
	return b.fault(f, fmt.Errorf("it says nothing to %s, whatever ends the line", command),
		fmt.Sprintf("is %d its baud rate, is this its port, has it power? --baud tries another rate", b.baud))
}

// behindEcho is the place behind the echo of a command where the board said
// something before it: that was the late answer to what was sent before, such as
// the `*` that brings a console back.
func (b *Board) behindEcho(ctx context.Context, mark console.Cursor, command, said string) (behind console.Cursor, late bool) {
	if b.con.Quiet(ctx, b.wait.settle, 2*b.wait.settle) != nil {
		return mark, false
	}
	received := string(b.con.Received(mark))
	at, echo := strings.Index(received, said), strings.LastIndex(received, command)
	if echo < 0 || at < 0 || echo < at+len(said) {
		return mark, false
	}
	return mark + console.Cursor(echo+len(command)), true
}

// next loads a file the way that is known by now.
func (b *Board) next(ctx context.Context, f File, progress func(f File, sent, total int)) (time.Time, error) {
	if err := b.con.Use(ctx, b.settings()); err != nil {
		return time.Time{}, err
	}
	r, err := b.con.Transfer(ctx, console.File{
		Slot: f.Slot, Name: f.Slot.String(), Data: f.Data, Secret: f.Secret,
		Progress: func(sent, total int) {
			if progress != nil {
				progress(f, sent, total)
			}
		},
	})
	if err != nil {
		return time.Time{}, err
	}
	b.Profile.Echo = b.Profile.Echo || r.Echo
	b.Profile.PromptIn.add(r.Prompted.Sub(r.Started))
	b.Profile.OKIn.add(max(r.Answered.Sub(r.Last), time.Millisecond))
	return r.Answered, nil
}

// Command sends a command line, without waiting for an answer.
func (b *Board) Command(ctx context.Context, text string) error {
	if b.Profile.Newline == "" {
		return record.NewFailure(record.ClassDevice, "send "+text+" to", b.name, errors.New("what ends a command is not known"))
	}
	return b.con.Send(ctx, []byte(text+b.Profile.Newline))
}

func (b *Board) fault(f File, cause error, cure string) error {
	return record.NewFailure(record.ClassDevice, "load", fmt.Sprintf("%s (%s)", f.Slot, f.Slot.Command()), cause).WithCure(cure)
}

// soundsBad reports whether an answer that nobody knows says no.
func soundsBad(said string) bool {
	said = strings.ToUpper(said)
	for _, word := range []string{"ERR", "FAIL", "INVALID", "DENIED", "UNKNOWN", "BAD ", "NOT "} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

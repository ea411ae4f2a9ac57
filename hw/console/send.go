package console

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// turn takes the right to send, and gives what gives it back.
func (c *Console) turn(ctx context.Context) (release func(), err error) {
	select {
	case c.sending <- struct{}{}:
		return func() { <-c.sending }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Send sends bytes as they are, at the type's pace. A line that is gone or
// takes nothing is a failure of class rig:port; a context that ends first has
// no class.
func (c *Console) Send(ctx context.Context, b []byte) error {
	release, err := c.turn(ctx)
	if err != nil {
		return fmt.Errorf("send to console: %w", err)
	}
	defer release()
	if err := c.sendWhole(ctx, c.current(), b); err != nil {
		return fmt.Errorf("send to console: %w", err)
	}
	return nil
}

// sendWhole sends what is a line of the transcript by itself.
func (c *Console) sendWhole(ctx context.Context, l *link, b []byte) error {
	defer c.transcript.sentWhole()
	return c.send(ctx, l, b, nil, nil)
}

// SendLine sends a command line, ended as the type wants it.
func (c *Console) SendLine(ctx context.Context, text string) error {
	return c.Send(ctx, []byte(text+c.set.Newline))
}

// How long a device may take to say its first word when it is brought back,
// unless the type's own silence is longer; and how many such silences a device
// that never stops is listened to in all.
const (
	firstWord    = time.Second
	chattyQuiets = 5
)

// Recover brings the console back from whatever state it was left in: it ends a
// transfer that may be open and an unfinished command line, and waits until the
// device has been silent for the type's time. Neither a device that says
// nothing nor one that never stops talking is an error.
func (c *Console) Recover(ctx context.Context) error {
	release, err := c.turn(ctx)
	if err != nil {
		return fmt.Errorf("bring console back: %w", err)
	}
	defer release()
	l, mark := c.current(), c.Mark()
	if err := c.sendWhole(ctx, l, []byte(c.set.RecoverSend+c.set.Newline)); err != nil {
		return fmt.Errorf("bring console back: %w", err)
	}
	quiet := c.set.RecoverQuiet
	begun := c.wire.free
	if begun.IsZero() {
		begun = c.now()
	}
	at := begun.Add(max(quiet, firstWord))
	if err := c.silent(ctx, l, mark, quiet, at, at.Add(chattyQuiets*quiet)); err != nil {
		return fmt.Errorf("bring console back: %w", err)
	}
	return nil
}

// Quiet waits until the device has said nothing for so long, and atMost so long
// in all: a device that never stops is no error. What it says meanwhile stays
// to be found.
func (c *Console) Quiet(ctx context.Context, quiet, atMost time.Duration) error {
	now := c.now()
	if err := c.silent(ctx, c.current(), c.Mark(), quiet, now.Add(quiet), now.Add(atMost)); err != nil {
		return fmt.Errorf("wait for a quiet console: %w", err)
	}
	return nil
}

// silent waits for silence: until at if nothing is received after mark, else
// until nothing has been received for quiet; not longer than until end.
func (c *Console) silent(ctx context.Context, l *link, mark Cursor, quiet time.Duration, at, end time.Time) error {
	for {
		if at.After(end) {
			at = end // it chatters; what it says is told apart by cursors
		}
		err := c.until(ctx, l, at, func(now look) error {
			if last := now.base + Cursor(len(now.b)); last > mark && at.Before(end) {
				mark = last
				return errHeard
			}
			return nil
		})
		if err != errHeard {
			return err
		}
		at = c.now().Add(quiet)
	}
}

var errHeard = errors.New("something was received")

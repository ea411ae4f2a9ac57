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
	c.okEnd = 0
	defer c.transcript.sentWhole()
	c.owes = true
	return c.send(ctx, l, b, nil, nil)
}

// SendLine sends a command line, ended as the type wants it. Where a file may
// be open the console is brought back before; one that does not come back is a
// failure of class device, [ErrNotBack].
func (c *Console) SendLine(ctx context.Context, text string) error {
	release, err := c.turn(ctx)
	if err != nil {
		return fmt.Errorf("send to console: %w", err)
	}
	defer release()
	if err := c.leaveFile(ctx); err != nil {
		return fmt.Errorf("send %s: %w", text, err)
	}
	if err := c.sendWhole(ctx, c.current(), []byte(text+c.set.Newline)); err != nil {
		return fmt.Errorf("send to console: %w", err)
	}
	return nil
}

// Quiet waits until the device has said nothing for so long, and atMost so long
// in all: a device that never stops is no error. What it says meanwhile stays
// to be found.
func (c *Console) Quiet(ctx context.Context, quiet, atMost time.Duration) error {
	return c.QuietHearing(ctx, quiet, atMost, func() {})
}

// QuietHearing is Quiet, and calls heard each time that the device says something.
func (c *Console) QuietHearing(ctx context.Context, quiet, atMost time.Duration, heard func()) error {
	now := c.now()
	if err := c.silent(ctx, c.current(), c.Mark(), quiet, now.Add(quiet), now.Add(atMost), heard); err != nil {
		return fmt.Errorf("wait for a quiet console: %w", err)
	}
	return nil
}

// silent waits for silence: until at if nothing is received after mark, else
// until nothing has been received for quiet; not longer than until end. Heard is
// called each time that something has been.
func (c *Console) silent(ctx context.Context, l *link, mark Cursor, quiet time.Duration, at, end time.Time, heard func()) error {
	for {
		if at.After(end) {
			at = end // it chatters; what it says is told apart by cursors
		}
		err := c.until(ctx, l, at, func(now received) error {
			if last := now.base + Cursor(len(now.b)); last > mark && at.Before(end) {
				mark = last
				return errHeard
			}
			return nil
		})
		if err != errHeard {
			return err
		}
		heard()
		at = c.now().Add(quiet)
	}
}

var errHeard = errors.New("something was received")

package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hilrig/record"
)

// link is one line for as long as it lives: a goroutine that reads it and one
// that writes it. A write that is given up goes on by itself until the line
// ends it, and nothing is written past it.
type link struct {
	line    Line
	jobs    chan job
	stop    chan struct{} // closed when the line is given up
	done    chan struct{} // closed when the reader has ended
	written chan struct{} // closed when the writer has ended
	err     error         // why the reader ended; Console.mu
}

type job struct {
	b    []byte
	done chan error
}

func (c *Console) start(line Line) *link {
	l := &link{line: line, jobs: make(chan job), stop: make(chan struct{}), done: make(chan struct{}), written: make(chan struct{})}
	go c.read(l)
	go c.writer(l)
	return l
}

// read is the one reader: transcript first, then whoever waits.
func (c *Console) read(l *link) {
	defer close(l.done)
	buf := make([]byte, 4096)
	for {
		n, err := l.line.Read(buf)
		at := c.now()
		if n > 0 {
			c.transcript.Add(Received, buf[:n], at)
			c.receive(l, buf[:n], at)
		}
		if err != nil {
			c.readerEnded(l, err, at)
			return
		}
	}
}

func (c *Console) receive(l *link, b []byte, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.window.add(b, at.Sub(c.epoch))
	c.wake()
}

// wake tells all who wait that something has changed; the console is locked.
func (c *Console) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Console) readerEnded(l *link, err error, at time.Time) {
	c.mu.Lock()
	asked := l.err != nil // closed or replaced by us
	if !asked {
		l.err = lineFailure("read", err)
	}
	c.wake()
	c.mu.Unlock()
	if !asked {
		c.transcript.Note("line ended: "+err.Error(), at)
		c.log.Warn("console line ended", "err", err)
	}
}

// lineFailure books an error of the line on the line, unless it says more
// itself.
func lineFailure(step string, err error) error {
	var f *record.Failure
	if errors.As(err, &f) {
		return err
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the line ended (%w)", err)
	}
	return record.NewFailure(record.RigPort, step, "console", err)
}

// writer writes one piece after the other. The transcript has it first, with
// the moment before: an echo comes after it.
func (c *Console) writer(l *link) {
	defer close(l.written)
	for {
		select {
		case j := <-l.jobs:
			c.transcript.Add(Sent, j.b, c.now())
			n, err := l.line.Write(j.b)
			if err == nil && n < len(j.b) {
				err = io.ErrShortWrite
			}
			if err != nil {
				c.transcript.Note(fmt.Sprintf("only %d of the last %d bytes were sent: %v", n, len(j.b), err), c.now())
			}
			j.done <- err
		case <-l.stop:
			return
		}
	}
}

// write hands bytes to the line and waits until it has them. It ends with the
// context, and with the line.
func (c *Console) write(ctx context.Context, l *link, b []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	j := job{append([]byte(nil), b...), make(chan error, 1)} // b is the caller's again when this is given up
	select {
	case l.jobs <- j:
	case <-l.done:
		return c.ended(l)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-j.done:
		if err == nil {
			return nil
		}
		if why := c.ended(l); why != nil {
			return why // says more than that a write failed
		}
		return lineFailure("write", err)
	case <-l.done:
		return c.ended(l)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ended is why a link's reader has ended, or is about to; nil while it lives.
func (c *Console) ended(l *link) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.err
}

// closeWithin is how long a line may take to end a read and a write when it is
// closed.
const closeWithin = 2 * time.Second

// end closes a link for the reason why, and waits until nothing runs on it.
func (c *Console) end(l *link, why error) error {
	c.mu.Lock()
	if l.err == nil {
		l.err = why
	}
	c.wake()
	c.mu.Unlock()
	close(l.stop)
	err := l.line.Close()
	timer := time.NewTimer(closeWithin)
	defer timer.Stop()
	for _, ended := range []chan struct{}{l.done, l.written} {
		select {
		case <-ended:
		case <-timer.C:
			return errors.Join(err, record.NewFailure(record.Harness, "close", "console", errStillRuns))
		}
	}
	return err
}

var errStillRuns = fmt.Errorf("the closed line has not ended its read or write within %s", closeWithin)

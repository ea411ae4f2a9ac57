package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"hilrig/record"
)

// Line is what a console needs of a port. Read blocks; Write is whole and
// bounded; Close ends a blocked Read.
type Line interface {
	io.ReadWriteCloser
}

// Settings are a device type's terminal (guide section 4).
type Settings struct {
	Baud                   int    // of the line; 0: no pacing
	Newline                string // ends a command
	Prompt                 string // before a file; empty: the type has none
	PromptWithin, OKWithin time.Duration
	OK                     string
	Failed                 []string // texts that mean no, at once
	Chunk                  int      // bytes sent at a time; 0: as the line takes them
	ChunkDelay             time.Duration
	FileNewline            string // lf, crlf, cr, keep
	MaxFile                int    // bytes; 0: no limit known
	RecoverSend            string // ends a transfer that was left open
	RecoverQuiet           time.Duration
}

// Options are what a console reports to.
type Options struct {
	Transcript *Transcript // required
	Log        *slog.Logger
	OnLine     func(dir Direction, text string, at time.Time) // masked; called as lines end
}

// Console is a device's terminal. One goroutine of its own reads the line, from
// Open to Close; one at a time may send.
type Console struct {
	set    Settings
	script *Transcript
	in     *stream
	log    *slog.Logger

	sending sync.Mutex
	mu      sync.Mutex
	line    Line
	closed  bool
	readers sync.WaitGroup
}

// Open begins to read the line. The line is the console's from here on.
func Open(line Line, s Settings, o Options) *Console {
	c := &Console{set: s, script: o.Transcript, in: newStream(), log: o.Log, line: line}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.script.mu.Lock()
	c.script.onLine = o.OnLine
	c.script.mu.Unlock()
	c.read(line)
	return c
}

func (c *Console) read(line Line) {
	c.readers.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := line.Read(buf)
			at := time.Now()
			if n > 0 {
				c.script.Add(Received, buf[:n], at)
				c.in.add(buf[:n], at)
			}
			if err != nil {
				c.readerEnded(line, err)
				return
			}
		}
	})
}

func (c *Console) readerEnded(line Line, err error) {
	c.mu.Lock()
	current := c.line == line
	c.mu.Unlock()
	if !current {
		return // it was replaced
	}
	var f *record.Failure
	if !errors.As(err, &f) {
		err = record.NewFailure(record.RigPort, "read", "console", err)
	}
	c.in.fail(err)
}

// Replace goes on with another line, after the old one was unplugged. The
// transcript and all cursors stay.
func (c *Console) Replace(line Line) error {
	c.mu.Lock()
	old := c.line
	c.line = line
	c.mu.Unlock()
	err := old.Close()
	c.in.fail(nil)
	c.read(line)
	return err
}

// Close ends reading and closes the line.
func (c *Console) Close() error {
	c.mu.Lock()
	line, closed := c.line, c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	err := line.Close()
	c.readers.Wait()
	c.script.Close()
	return err
}

// Err is why nothing more is received; nil while the line lives.
func (c *Console) Err() error {
	_, _, _, err := c.in.after(0)
	return err
}

// Mark is the end of what has been received.
func (c *Console) Mark() Cursor { return c.in.end() }

// Received is what has been received from the cursor on, keys and all: for
// judging, never for showing.
func (c *Console) Received(from Cursor) []byte {
	b, _, _, _ := c.in.after(from)
	return append([]byte(nil), b...)
}

// Tail is the transcript's last n lines, masked.
func (c *Console) Tail(n int) []string { return c.script.Tail(n) }

// Expect waits for the first match from the cursor on. Its error, of class
// device, names what was waited for; where the line died it is the line's.
func (c *Console) Expect(ctx context.Context, from Cursor, ms ...Matcher) (Match, error) {
	m, err := c.in.expect(ctx, from, ms)
	if err == nil {
		return m, nil
	}
	if record.ClassOf(err) == record.RigPort {
		return m, err
	}
	return m, c.notSeen("wait for", ms, err)
}

// Send sends bytes as they are.
func (c *Console) Send(ctx context.Context, b []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.write(ctx, b)
}

// SendLine sends a command, ended by the type's newline.
func (c *Console) SendLine(ctx context.Context, command string) error {
	return c.Send(ctx, []byte(command+c.set.Newline))
}

func (c *Console) write(ctx context.Context, b []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	line := c.line
	c.mu.Unlock()
	c.script.Add(Sent, b, time.Now())
	if _, err := line.Write(b); err != nil {
		var f *record.Failure
		if !errors.As(err, &f) {
			err = record.NewFailure(record.RigPort, "write", "console", err)
		}
		return err
	}
	return nil
}

// How long a console that is brought back may take to say something at all,
// and how long a chatty one is listened to.
const (
	firstWord = time.Second
	chatter   = 5 * time.Second
)

// Recover brings the console back from whatever state it was left in: it ends
// a transfer that may be open and an unfinished command line, and waits until
// the device is quiet. A device that says nothing, and one that never stops,
// are both no error.
func (c *Console) Recover(ctx context.Context) error {
	mark := c.Mark()
	if err := c.Send(ctx, []byte(c.set.RecoverSend+c.set.Newline)); err != nil {
		return err
	}
	deadline := time.Now().Add(chatter)
	wait := max(firstWord, c.set.RecoverQuiet)
	for time.Now().Before(deadline) {
		_, _, more, err := c.in.after(mark)
		if c.Mark() > mark {
			mark = c.Mark()
			wait = c.set.RecoverQuiet
			continue
		}
		if err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-more:
			timer.Stop()
		case <-timer.C:
			return nil
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("bring console back: %w", context.Cause(ctx))
		}
	}
	return nil
}

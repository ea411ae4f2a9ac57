package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/record"
)

// Line is what a console needs of a port. Read blocks for at least one byte;
// Write is whole or fails, and bounded; Close ends both.
type Line interface {
	io.ReadWriteCloser
}

// Options are what a console reports to. All may be left out.
type Options struct {
	Transcript *Transcript
	Log        *slog.Logger
	// OnLine is called for every line, also where the transcript has no room for it, with
	// what is in it: masked, printable, one line. It must not block, nor call
	// the console.
	OnLine func(dir Direction, text string, at time.Time)
	Now    func() time.Time // time.Now
}

// ErrClosed is what a console that was closed answers.
var ErrClosed = errors.New("console closed")

var errReplaced = errors.New("the line was replaced by another")

// Console is a device's terminal. A goroutine of its own reads the line from
// Open to Close. All methods may be called by several goroutines; those that
// send take turns.
type Console struct {
	set        Settings
	transcript *Transcript
	log        *slog.Logger
	now        func() time.Time
	epoch      time.Time
	sending    chan struct{} // holds a token while somebody sends
	wire       lineModel     // whoever sends
	answers    bool          // it has shown that it listens; whoever sends
	echoes     bool          // it has repeated what was sent; whoever sends
	asked      int           // harmless lines; whoever sends
	askedAt    Cursor        // where the last time began; whoever sends
	okIn       time.Duration // the longest that an OK has taken; whoever sends
	lastOK     time.Time     // when the last file was answered so; whoever sends
	okEnd      Cursor        // where that answer ends, until something else is sent; 0: there is none
	promptIn   time.Duration // the same of a prompt
	owes       bool          // a line was sent that it may still answer; whoever sends
	inFile     atomic.Bool   // a file was begun that the device has not answered

	mu      sync.Mutex
	link    *link
	window  window
	changed chan struct{} // closed, and replaced, when something has come or ended
	closed  bool
}

// Open begins to read the line, which is the console's from here on.
func Open(line Line, s Settings, o Options) *Console {
	if o.Now == nil {
		o.Now = time.Now
	}
	now := o.Now()
	if o.Transcript == nil {
		o.Transcript = NewTranscript(io.Discard, record.ClockAt(now))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Transcript.mu.Lock()
	o.Transcript.onLine = o.OnLine
	o.Transcript.mu.Unlock()
	s = s.withDefaults()
	c := &Console{
		set: s, transcript: o.Transcript, log: o.Log, now: o.Now, epoch: now,
		sending: make(chan struct{}, 1), wire: newLineModel(s.Baud, o.Now), changed: make(chan struct{}),
		owes: true, // what another sent before, for all that is known
	}
	c.mu.Lock() // the reader waits for its link
	c.link = c.start(line)
	c.mu.Unlock()
	return c
}

// Close ends reading, closes the line and writes the rest of the transcript.
// More than once is no error.
func (c *Console) Close() error {
	c.mu.Lock()
	l, closed := c.link, c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	err := c.end(l, ErrClosed)
	c.transcript.Flush()
	return err
}

// Replace goes on with another line, because the old one was unplugged or
// opened again. The transcript goes on, and all cursors stay valid. Whoever is
// sending on the old line fails. On a closed console it closes the new line.
func (c *Console) Replace(line Line) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		if err := line.Close(); err != nil {
			c.log.Warn("line not closed", "err", err)
		}
		return
	}
	old := c.link
	c.link = c.start(line)
	c.mu.Unlock()
	c.transcript.Note("line replaced", c.now())
	if err := c.end(old, record.NewFailure(record.RigPort, "use", "console", errReplaced)); err != nil {
		c.log.Warn("old line not closed", "err", err) // it is gone anyway
	}
}

// Use goes on with other settings, for whoever finds out what they are while it
// talks. The rate stays, and nobody else may send meanwhile.
func (c *Console) Use(ctx context.Context, s Settings) error {
	release, err := c.turn(ctx)
	if err != nil {
		return fmt.Errorf("set up console: %w", err)
	}
	defer release()
	s = s.withDefaults()
	s.Baud = c.set.Baud
	c.set = s
	return nil
}

// Err is why nothing is received any more: a failure of class rig:port, or
// ErrClosed. It is nil while the line lives.
func (c *Console) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link.err
}

// Done is closed when the line that the console has now is read no more.
func (c *Console) Done() <-chan struct{} { return c.current().done }

func (c *Console) current() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// Mark is the end of what has been received.
func (c *Console) Mark() Cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.window.end()
}

// Received is what has been received from the cursor on, of the last 8 MB at
// least. It is raw, keys and all: for judging, not for showing.
func (c *Console) Received(from Cursor) []byte {
	c.mu.Lock()
	b, _ := c.window.view(from)
	c.mu.Unlock()
	return append([]byte(nil), b...)
}

// Tail is the transcript's last n lines, 400 at most, masked.
func (c *Console) Tail(n int) []string { return c.transcript.Tail(n) }

// received is what a waiter sees: what was received from a cursor on, whether more
// will come, and how it is woken.
type received struct {
	b       []byte
	base    Cursor
	err     error
	changed <-chan struct{}
}

func (c *Console) receivedFrom(l *link, from Cursor) received {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l == nil {
		l = c.link
	}
	b, base := c.window.view(from)
	return received{b, base, l.err, c.changed}
}

func (c *Console) arrival(end Cursor) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch.Add(c.window.arrival(end))
}

// Expect waits for the first match from the cursor on; of several, the one that
// ends first. Where nothing matches before the context's deadline, that is a
// failure of class device that says what was waited for and what was seen
// instead, masked; where the line ends, it is the line's failure, of class
// rig:port. A context that is cancelled is nobody's fault and has no class.
func (c *Console) Expect(ctx context.Context, from Cursor, ms ...Matcher) (Match, error) {
	s := newSearch(from, ms)
	for {
		now := c.receivedFrom(nil, from)
		if m, ok := s.next(now.b, now.base); ok {
			m.At = c.arrival(m.End)
			return m, nil
		}
		if now.err != nil {
			return Match{}, fmt.Errorf("wait for %s: %w", names(ms), now.err)
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return Match{}, c.notSeen(ctx, from, ms)
		}
	}
}

func names(ms []Matcher) string {
	var quoted []string
	for _, m := range ms {
		quoted = append(quoted, fmt.Sprintf("%q", nameOf(m)))
	}
	return strings.Join(quoted, " or ")
}

func (c *Console) notSeen(ctx context.Context, from Cursor, ms []Matcher) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("wait for %s: %w", names(ms), context.Cause(ctx))
	}
	return record.NewFailure(record.ClassDevice, "wait for", names(ms), c.withSeen(context.Cause(ctx), from))
}

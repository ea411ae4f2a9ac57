package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/record"
)

// DefaultBaud is the guide's rate (section 4).
const DefaultBaud = 115200

// Config says which line to open, and how.
type Config struct {
	Path        string        // /dev/ttyUSB0, COM3, a pseudo-terminal; or tcp://host:port, rfc2217://host:port
	Baud        int           // bits per second, 8N1, no flow control; 0 is [DefaultBaud]
	LockDir     string        // empty is [LockDir]
	Run         string        // who asks, for whoever finds the line busy
	WriteWithin time.Duration // how long a Write may take beyond what the line needs for its bytes; 0 is 2 s
	Log         *slog.Logger  // may be nil
}

// wire is an open line as the system gives it. Close ends a blocked Read or
// WriteBy, which then fails with [os.ErrClosed]; WriteBy fails with
// [os.ErrDeadlineExceeded] when its time is over.
type wire interface {
	Read(b []byte) (int, error)
	WriteBy(b []byte, deadline time.Time) (int, error)
	Close() error
}

// Port is an open, held line. One goroutine at a time may read it; any may
// write and close it.
type Port struct {
	path   string
	baud   int
	within time.Duration
	log    *slog.Logger
	lease  *Lease
	wire   wire

	closed   atomic.Bool
	reading  sync.Mutex
	writing  sync.Mutex
	once     sync.Once
	closeErr error
}

// Open takes the line's lock and opens the line. It does not wait for either;
// a line on the network must be reached, and set, within a few seconds.
// Failures are of class rig:port; errors.Is tells [ErrBusy], [ErrMissing],
// [ErrPermission], [ErrNotSerial], [ErrUnreachable] and [ErrNoControl] apart.
func Open(ctx context.Context, c Config) (*Port, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("open port %s: %w", c.Path, context.Cause(ctx))
	}
	c = c.withDefaults()
	at, network, err := parseAddress(c.Path)
	if err == nil && !network {
		err = isLine(c.Path)
	}
	if err != nil {
		return nil, failure("open port", c.Path, err)
	}
	lease, err := Lock(c.LockDir, c.Path, c.Run)
	if err != nil {
		if busy := new(BusyError); errors.As(err, &busy) {
			return nil, failure("open port", c.Path, busy)
		}
		return nil, err
	}
	var w wire
	if network {
		w, err = openNetwork(ctx, at, c.Baud)
	} else {
		w, err = openWire(c.Path, c.Baud)
	}
	if err != nil {
		if rerr := lease.Release(); rerr != nil {
			c.Log.Warn("lock not given back", "port", c.Path, "err", rerr)
		}
		return nil, failure("open port", c.Path, err)
	}
	c.Log.Debug("port open", "port", c.Path, "real", realName(c.Path), "baud", c.Baud)
	return newPort(c, lease, w), nil
}

func (c Config) withDefaults() Config {
	if c.Baud == 0 {
		c.Baud = DefaultBaud
	}
	if c.LockDir == "" {
		c.LockDir = LockDir()
	}
	if c.WriteWithin <= 0 {
		c.WriteWithin = 2 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func newPort(c Config, lease *Lease, w wire) *Port {
	return &Port{path: c.Path, baud: c.Baud, within: c.WriteWithin, log: c.Log, lease: lease, wire: w}
}

// isLine tells what is certainly no line before anything is locked or opened.
func isLine(path string) error {
	info, err := os.Stat(path)
	switch {
	case portNamesAreNoFiles:
		return nil
	case err != nil:
		return err
	case info.Mode()&os.ModeCharDevice == 0:
		return fmt.Errorf("%w: a %s", ErrNotSerial, kindOfFile(info.Mode()))
	}
	return nil
}

func kindOfFile(m os.FileMode) string {
	switch {
	case m.IsRegular():
		return "regular file"
	case m.IsDir():
		return "folder"
	}
	return "file of another kind"
}

// Path is the name that the port was opened by.
func (p *Port) Path() string { return p.path }

// Baud is the line's rate in bits per second.
func (p *Port) Baud() int { return p.baud }

// Holder is this process, as the lock names it.
func (p *Port) Holder() Holder { return p.lease.Holder }

// Read blocks until there is at least one byte. After Close it fails with
// [ErrClosed]; when the line is gone, with a failure of class rig:port that
// errors.Is finds [ErrUnplugged] in. A second reader beside the first is a bug
// and told so: the bytes would be torn apart.
func (p *Port) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !p.reading.TryLock() {
		return 0, record.NewFailure(record.Harness, "read port", p.path, errTwoReaders)
	}
	defer p.reading.Unlock()
	if p.closed.Load() {
		return 0, ErrClosed
	}
	n, err := p.wire.Read(b)
	switch {
	case n > 0:
		return n, nil // an error comes again with the next Read
	case p.closed.Load():
		return 0, ErrClosed
	case err == nil:
		err = errNothingRead
	}
	return 0, failure("read port", p.path, gone(err))
}

var (
	errTwoReaders  = errors.New("somebody else is reading it")
	errNothingRead = errors.New("a read gave neither bytes nor an error")
)

// Write sends all of b or fails, in bounded time: WriteWithin beyond what the
// line needs for so many bytes at its rate. A line whose other side takes
// nothing is a failure with [ErrStuck], one that is gone with [ErrUnplugged];
// n says how many bytes the system took. Close ends a Write with [ErrClosed].
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.closed.Load() {
		return 0, ErrClosed
	}
	need := time.Duration(len(b)) * 10 * time.Second / time.Duration(p.baud)
	n, err := p.wire.WriteBy(b, time.Now().Add(need+p.within))
	switch {
	case err == nil && n == len(b):
		return n, nil
	case p.closed.Load():
		return n, ErrClosed
	case err == nil:
		err = fmt.Errorf("%d of %d bytes taken", n, len(b))
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: %d of %d bytes within %s", ErrStuck, n, len(b), need+p.within)
	}
	return n, failure("write port", p.path, gone(err))
}

// Close ends a blocked Read and Write, closes the line and gives its lock
// free. Bytes that the driver still holds get a quarter of a second to leave.
// More than once is no error.
func (p *Port) Close() error {
	p.once.Do(func() {
		p.closed.Store(true)
		err := p.wire.Close()
		if err != nil {
			err = record.NewFailure(record.RigPort, "close port", p.path, err)
		}
		p.closeErr = errors.Join(err, p.lease.Release())
		p.log.Debug("port closed", "port", p.path)
	})
	return p.closeErr
}

package port

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"go.bug.st/serial"

	"hilrig/record"
)

// What can be wrong with a line; errors.Is finds them.
var (
	ErrBusy       = errors.New("busy")
	ErrMissing    = errors.New("no such port")
	ErrPermission = errors.New("permission denied")
	ErrNotSerial  = errors.New("not a serial port")
	ErrClosed     = errors.New("port closed")
	ErrUnplugged  = errors.New("port gone: unplugged, or its driver gave up")
	ErrStuck      = errors.New("nothing takes the bytes")
)

// Config says which line to open, and how.
type Config struct {
	Path        string
	Baud        int // 8 data bits, no parity, 1 stop bit (guide section 4)
	LockDir     string
	Run         string        // who asks, for whoever finds it busy
	WriteWithin time.Duration // bound of one Write; 0 is 2 s
	Log         *slog.Logger
}

// tick is how often a blocked read looks whether the port was closed.
const tick = 100 * time.Millisecond

// Port is an open, held line. One goroutine may read while another writes.
type Port struct {
	path   string
	baud   int
	within time.Duration
	lease  *Lease
	line   serial.Port

	mu     sync.Mutex // closed; and no write while Close runs
	closed bool
	dead   error // a write got stuck: its goroutine may still hold the line
	work   chan []byte
	done   chan error
}

// Open takes the line's lock and opens it. The port is the caller's to close.
func Open(ctx context.Context, c Config) (*Port, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if _, err := os.Stat(c.Path); err != nil {
		return nil, failure("open port", c.Path, err)
	}
	lease, err := Lock(c.LockDir, c.Path, c.Run)
	if err != nil {
		return nil, err
	}
	line, err := serial.Open(c.Path, &serial.Mode{BaudRate: c.Baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err == nil {
		err = line.SetReadTimeout(tick)
	}
	if err != nil {
		_ = lease.Release()
		return nil, failure("open port", c.Path, err)
	}
	p := &Port{path: c.Path, baud: c.Baud, within: c.WriteWithin, lease: lease, line: line, work: make(chan []byte), done: make(chan error, 1)}
	if p.within == 0 {
		p.within = 2 * time.Second
	}
	go p.writer()
	return p, nil
}

// failure puts an error of the library or the system into our words.
func failure(step, path string, err error) error {
	var pe *serial.PortError
	f := record.NewFailure(record.RigPort, step, path, err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Cause = ErrMissing
		return f.WithCure("is the adapter plugged in? ls -l /dev/serial/by-id shows what is")
	case errors.Is(err, fs.ErrPermission):
		f.Cause = ErrPermission
		return f.WithCure("add your user to the group dialout and log in again")
	case errors.As(err, &pe):
		switch pe.Code() {
		case serial.PortBusy:
			f.Cause = &BusyError{Path: path}
			return f.WithCure("close the terminal program that has it open")
		case serial.PortNotFound:
			f.Cause = ErrMissing
		case serial.PermissionDenied:
			f.Cause = ErrPermission
			return f.WithCure("add your user to the group dialout and log in again")
		case serial.InvalidSerialPort:
			f.Cause = ErrNotSerial
		}
	case errors.Is(err, syscall.EBUSY):
		f.Cause = &BusyError{Path: path}
		return f.WithCure("close the terminal program that has it open")
	case errors.Is(err, syscall.ENOTTY):
		f.Cause = ErrNotSerial
	}
	return f
}

// Path is the name the port was opened by.
func (p *Port) Path() string { return p.path }

// Baud is the line's rate in bits per second.
func (p *Port) Baud() int { return p.baud }

// Holder is this process, as the lock says it.
func (p *Port) Holder() Holder { return p.lease.Holder }

// Read blocks until there is at least one byte, or the port is closed
// (ErrClosed) or gone (ErrUnplugged).
func (p *Port) Read(b []byte) (int, error) {
	for {
		n, err := p.line.Read(b)
		switch {
		case n > 0:
			return n, nil
		case p.isClosed():
			return 0, ErrClosed
		case err != nil:
			return 0, record.NewFailure(record.RigPort, "read port", p.path, fmt.Errorf("%w (%v)", ErrUnplugged, err)).
				WithCure("check cable and adapter")
		} // a tick of the library: nothing came
	}
}

func (p *Port) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Write sends all of b, or fails within the bound. A write that got stuck
// makes the port useless: what it still holds must not be mixed with more.
func (p *Port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return 0, ErrClosed
	case p.dead != nil:
		return 0, p.dead
	}
	timer := time.NewTimer(p.within)
	defer timer.Stop()
	p.work <- b // the writer is idle: it has answered for the write before
	select {
	case err := <-p.done:
		if err != nil {
			return 0, record.NewFailure(record.RigPort, "write port", p.path, fmt.Errorf("%w (%v)", ErrUnplugged, err)).WithCure("check cable and adapter")
		}
		return len(b), nil
	case <-timer.C:
		p.dead = record.NewFailure(record.RigPort, "write port", p.path, fmt.Errorf("%w within %s", ErrStuck, p.within)).
			WithCure("is the device's side of the line open?")
		return 0, p.dead
	}
}

// writer is the one goroutine that writes, because the library's Write has no
// bound and, after Close, would reach whatever reuses the descriptor.
func (p *Port) writer() {
	for b := range p.work {
		p.done <- p.writeAll(b)
	}
}

func (p *Port) writeAll(b []byte) error {
	for len(b) > 0 {
		n, err := p.line.Write(b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// Close ends reads and writes and gives the line free; more than once is no
// error. A stuck writer keeps the descriptor from being closed under it: then
// only the lock and the reader end here, the rest with the process.
func (p *Port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	close(p.work)
	if p.dead == nil {
		_ = p.line.ResetOutputBuffer() // else the kernel may wait 30 s for a device that is not there
		if err := p.line.Close(); err != nil {
			_ = p.lease.Release()
			return record.NewFailure(record.RigPort, "close port", p.path, err)
		}
	}
	return p.lease.Release()
}

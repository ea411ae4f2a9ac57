package port

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// portNamesAreNoFiles: on this system a port's name is a file's.
const portNamesAreNoFiles = false

// noFollow keeps a lock file from being a link to somewhere else.
const noFollow = syscall.O_NOFOLLOW

// fileWire is a line as a file of Go's own runtime. The library
// (go.bug.st/serial v1.8.0) sets the line up; reading and writing go past it,
// because there its Write has no bound and no closed check (what comes after
// Close reaches whatever has the descriptor's number by then), its Read panics
// when the number is above 1023, and its descriptor is inherited by every
// child process. The runtime's file has none of that: deadlines, a Close that
// ends both, and a number that is not reused while anything is under way.
type fileWire struct{ file *os.File }

func openWire(path string, baud int) (wire, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.EBUSY) {
		err = &BusyError{Path: path, Holder: whoHas(path)}
	}
	if err != nil {
		return nil, err
	}
	w := &fileWire{f}
	if err := w.setUp(path, baud); err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	return w, nil
}

// setUp takes the file's own lock, which terminal programs take too (tio,
// picocom, minicom), and gives the line its mode. TIOCEXCL would not do: root
// passes it, and on a pseudo-terminal it outlives a holder that was killed.
func (w *fileWire) setUp(path string, baud int) error {
	if err := w.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("%w: it cannot be waited for", ErrNotSerial) // as /dev/null
	}
	err := w.control(func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return &BusyError{Path: path, Holder: whoHas(path)}
	}
	if err != nil {
		return fmt.Errorf("lock the line: %w", err)
	}
	return configure(path, baud)
}

// configure opens the line a second time, through the library, which sets it
// to raw 8N1 at the rate. The mode is the line's, not the descriptor's, and
// stays while the first is open; so the library's can be closed at once, and
// no child process is started between.
func configure(path string, baud int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	line, err := serial.Open(path, &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err != nil {
		return err
	}
	return line.Close()
}

func (w *fileWire) Read(b []byte) (int, error) { return w.file.Read(b) }

func (w *fileWire) WriteBy(b []byte, deadline time.Time) (int, error) {
	if err := w.file.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return w.file.Write(b)
}

// Close lets the driver send what it still holds. The kernel itself would wait
// up to 30 s for a device that is not there (closing_wait), so what has not
// left in time is thrown away.
func (w *fileWire) Close() error {
	// Whatever waits to read or write ends now, before the draining.
	_ = w.file.SetDeadline(time.Unix(1, 0))
	const drain, step = 250 * time.Millisecond, 5 * time.Millisecond
	for waited := time.Duration(0); w.unsent() > 0; waited += step {
		if waited >= drain {
			_ = w.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) })
			break
		}
		time.Sleep(step) // the kernel has no event for this that has a bound
	}
	// A child process that is being started has the descriptor for a moment, and
	// the lock with it: closing alone would leave the line busy.
	_ = w.control(func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) }) // closing is what counts
	return w.file.Close()
}

// unsent is how many bytes the driver holds; 0 where it cannot say.
func (w *fileWire) unsent() (n int) {
	_ = w.control(func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		return err
	})
	return n
}

// control calls f with the descriptor, which stays open meanwhile. File.Fd
// would take the file out of the runtime's poller.
func (w *fileWire) control(f func(fd int) error) error {
	conn, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := conn.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}

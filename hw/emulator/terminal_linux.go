package emulator

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"hilrig/record"
)

// terminal is the device's end of a pseudo-terminal, a [uart.Wire].
//
// It works on the file descriptor with poll and not through the runtime's
// poller: where a parent process holds the same master open, the two share
// whether it blocks, and the parent may change that at any time.
type terminal struct {
	master *os.File
	slave  *os.File // held open: a master whose last slave closes sees a hang-up
	fd     int32    // of master
	name   string   // of the slave
	link   string
	awake  [2]*os.File // a pipe whose closing ends a Read
}

// openTerminal takes the master that the parent gave, or makes a
// pseudo-terminal and links it where the configuration says.
func openTerminal(c Config) (_ *terminal, err error) {
	t := &terminal{}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if t.awake[0], t.awake[1], err = os.Pipe(); err != nil {
		return nil, record.NewFailure(record.RigHost, "open", "pipe", err)
	}
	if c.Terminal != nil {
		err = t.adopt(c.Terminal)
	} else if t.master, t.slave, err = pty.Open(); err == nil {
		t.name = t.slave.Name()
	}
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "open", "pseudo-terminal", err)
	}
	t.fd = int32(t.master.Fd())
	if err := t.prepare(); err != nil {
		return nil, record.NewFailure(record.RigHost, "prepare", t.name, err)
	}
	if c.Terminal == nil && c.Link != "" {
		if err := linkTo(t.name, c.Link); err != nil {
			return nil, err
		}
		t.link = c.Link
	}
	return t, nil
}

// adopt uses a master whose slave may be open elsewhere, or nowhere yet.
func (t *terminal) adopt(master *os.File) error {
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return err
	}
	t.master, t.name = master, "/dev/pts/"+strconv.Itoa(n)
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), unix.TIOCGPTPEER, uintptr(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC))
	if errno == 0 {
		t.slave = os.NewFile(fd, t.name)
		return nil
	}
	// kernels before 4.13, and containers whose /dev/pts is another one
	t.slave, err = os.OpenFile(t.name, os.O_RDWR|unix.O_NOCTTY, 0)
	return err
}

// prepare makes the line raw before anybody types, else it would echo by
// itself, and drops what was typed while the device had no power.
func (t *terminal) prepare() error {
	if _, err := term.MakeRaw(int(t.slave.Fd())); err != nil {
		return err
	}
	if err := unix.SetNonblock(int(t.fd), true); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for end := time.Now().Add(drainWithin); t.Waiting() && time.Now().Before(end); {
		if n, err := unix.Read(int(t.fd), buf); n <= 0 || err != nil {
			break
		}
	}
	return nil
}

// drainWithin bounds the power-on flush where somebody types on and on.
const drainWithin = 100 * time.Millisecond

// Waiting reports whether Read has something at once.
func (t *terminal) Waiting() bool {
	p := []unix.PollFd{{Fd: t.fd, Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return n > 0 && err == nil && p[0].Revents&unix.POLLIN != 0
}

// Read blocks for at least one byte, until interrupt.
func (t *terminal) Read(b []byte) (int, error) {
	for {
		p := []unix.PollFd{{Fd: t.fd, Events: unix.POLLIN}, {Fd: int32(t.awake[0].Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		if p[1].Revents != 0 {
			return 0, io.EOF
		}
		if p[0].Revents == 0 {
			continue
		}
		n, err := unix.Read(int(t.fd), b)
		switch {
		case err == nil && n > 0:
			return n, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		default:
			return 0, io.EOF
		}
	}
}

// Write puts bytes on the line. Where nobody reads they are lost, as on a real
// one.
func (t *terminal) Write(b []byte) (int, error) {
	for sent := 0; sent < len(b); {
		n, err := unix.Write(int(t.fd), b[sent:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return len(b), nil
		case err != nil:
			return sent, err
		default:
			sent += n
		}
	}
	return len(b), nil
}

// Interrupt makes Read end.
func (t *terminal) Interrupt() {
	_ = t.awake[1].Close() // close does it once more, harmlessly
}

func (t *terminal) close() {
	if t.link != "" {
		unlink(t.name, t.link)
	}
	for _, f := range []*os.File{t.slave, t.master, t.awake[0], t.awake[1]} {
		if f != nil {
			_ = f.Close() // nothing is lost by it: the bytes are on the line
		}
	}
}

// port is the name by which others open the line.
func (t *terminal) port() string {
	if t.link != "" {
		return t.link
	}
	return t.name
}

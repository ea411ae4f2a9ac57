package emulator

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
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
//
// The parent can take the pseudo-terminal away and give another one, as when a
// USB cable is pulled and put back; see plug.
type terminal struct {
	link    string
	awake   [2]*os.File // a pipe whose closing ends a Read
	control int32       // socket of the parent's; -1: none
	dies    bool        // is not used again once it was taken away: a fault

	mu     sync.RWMutex // the line below, which Read's goroutine alone changes
	master *os.File
	slave  *os.File     // held open: a master whose last slave closes sees a hang-up
	fd     atomic.Int32 // of master; -1: none
	name   string       // of the slave
}

// openTerminal takes the master that the parent gave, or makes a
// pseudo-terminal and links it where the configuration says.
func openTerminal(c Config) (_ *terminal, err error) {
	t := &terminal{control: -1}
	t.fd.Store(-1)
	if c.Control > 0 {
		t.control = int32(c.Control)
	}
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
	t.fd.Store(int32(t.master.Fd()))
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
	if err := unix.SetNonblock(int(t.fd.Load()), true); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for end := time.Now().Add(drainWithin); t.Waiting() && time.Now().Before(end); {
		if n, err := unix.Read(int(t.fd.Load()), buf); n <= 0 || err != nil {
			break
		}
	}
	return nil
}

// drainWithin bounds the power-on flush where somebody types on and on.
const drainWithin = 100 * time.Millisecond

// The parent's words on the control socket.
const (
	saysUnplug = 'u'
	saysPlug   = 'p' // with the master of a pseudo-terminal
)

// plug does what the parent says. It runs where Read runs.
func (t *terminal) plug() error {
	word, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, got, _, _, err := unix.Recvmsg(int(t.control), word, rights, unix.MSG_CMSG_CLOEXEC)
	switch {
	case errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return err
	case n == 0: // the parent is gone
		t.control = -1
		return nil
	}
	var master *os.File
	if messages, err := unix.ParseSocketControlMessage(rights[:got]); err == nil && len(messages) == 1 {
		if fds, err := unix.ParseUnixRights(&messages[0]); err == nil && len(fds) == 1 {
			master = os.NewFile(uintptr(fds[0]), "terminal")
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unplug()
	if word[0] != saysPlug || master == nil {
		return nil
	}
	if err := t.adopt(master); err != nil {
		return err
	}
	if t.dies {
		return nil // it is there, and nobody looks at it
	}
	t.fd.Store(int32(master.Fd()))
	return t.prepare()
}

// unplug lets the line go: whoever has its other end open sees a hang-up.
func (t *terminal) unplug() {
	for _, f := range []*os.File{t.slave, t.master} {
		if f != nil {
			_ = f.Close()
		}
	}
	t.slave, t.master = nil, nil
	t.fd.Store(-1)
}

// Waiting reports whether Read has something at once.
func (t *terminal) Waiting() bool {
	p := []unix.PollFd{{Fd: t.fd.Load(), Events: unix.POLLIN}}
	n, err := unix.Poll(p, 0)
	return n > 0 && err == nil && p[0].Revents&unix.POLLIN != 0
}

// Read blocks for at least one byte, until interrupt.
func (t *terminal) Read(b []byte, taking func(bool)) (int, error) {
	for {
		p := []unix.PollFd{{Fd: t.fd.Load(), Events: unix.POLLIN}, {Fd: int32(t.awake[0].Fd()), Events: unix.POLLIN}, {Fd: t.control, Events: unix.POLLIN}}
		if _, err := unix.Poll(p, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
		if p[1].Revents != 0 {
			return 0, io.EOF
		}
		if p[2].Revents != 0 {
			if err := t.plug(); err != nil {
				return 0, err
			}
			continue
		}
		if p[0].Revents == 0 {
			continue
		}
		taking(true)
		n, err := unix.Read(int(t.fd.Load()), b)
		if err == nil && n > 0 {
			return n, nil
		}
		taking(false)
		switch {
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
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.fd.Load() < 0 {
		return len(b), nil
	}
	for sent := 0; sent < len(b); {
		n, err := unix.Write(int(t.fd.Load()), b[sent:])
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

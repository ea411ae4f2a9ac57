//go:build unix

package frontdoor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

func supported() error { return nil }

// handWithin bounds the handing over: a process that takes none is stuck.
const handWithin = time.Second

// pair makes the two ends of a way.
func pair() (ours *net.UnixConn, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // no other child may get them
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "way from the shared port")
	if ours, err = asConn(os.NewFile(uintptr(fds[0]), "way to a board's process")); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// asConn takes over f.
func asConn(f *os.File) (*net.UnixConn, error) {
	c, err := net.FileConn(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a %T", c), c.Close())
	}
	return u, nil
}

// hand gives a copy of c to the process at the other end.
func hand(way *net.UnixConn, c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if err := way.SetWriteDeadline(time.Now().Add(handWithin)); err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		_, _, failed = way.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(fd)), nil)
	})
	return errors.Join(err, failed)
}

// take waits for the next connection that is handed over. It comes with one
// byte, so that no two are in one reading.
func take(way *net.UnixConn) (net.Conn, error) {
	control := make([]byte, syscall.CmsgSpace(4))
	n, oob, _, _, err := way.ReadMsgUnix(make([]byte, 1), control)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, net.ErrClosed
	}
	messages, err := syscall.ParseSocketControlMessage(control[:oob])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("%d connections in one message: %w", len(messages), errors.Join(err, errNoConn))
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("%d connections in one message: %w", len(fds), errors.Join(err, errNoConn))
	}
	f := os.NewFile(uintptr(fds[0]), "connection of a board")
	c, err := net.FileConn(f)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = errors.Join(cerr, c.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoConn, err)
	}
	return c, nil
}

//go:build unix

package frontdoor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
)

func supported() error { return nil }

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

// hand gives a copy of c to the process at the other end, at once or not at all.
// A process that takes none is stuck, and the other boards wait for nobody.
func hand(way *net.UnixConn, c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = send(way, []byte{0}, syscall.UnixRights(int(fd)))
	})
	return errors.Join(err, failed)
}

// warn tells the process at the other end that a connection from an address
// belongs to no board, at once or not at all.
func warn(way *net.UnixConn, from netip.Addr) error {
	text := from.String()
	return send(way, append([]byte{byte(len(text))}, text...), nil)
}

func send(way *net.UnixConn, b, oob []byte) error {
	raw, err := way.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for {
			if failed = syscall.Sendmsg(int(fd), b, oob, nil, 0); !errors.Is(failed, syscall.EINTR) {
				return true
			}
		}
	})
	return errors.Join(err, failed)
}

// take waits for the next connection that is handed over, or for a warning: the
// address of a connection that belongs to no board. A connection comes with one
// byte, 0, so that no two are in one reading; a warning with as many as it says.
func take(way *net.UnixConn) (c net.Conn, stranger netip.Addr, err error) {
	control, first := make([]byte, syscall.CmsgSpace(4)), make([]byte, 1)
	n, oob, _, _, err := way.ReadMsgUnix(first, control)
	if err != nil {
		return nil, stranger, err
	}
	if n == 0 {
		return nil, stranger, net.ErrClosed
	}
	if first[0] > 0 {
		text := make([]byte, first[0])
		if _, err := io.ReadFull(way, text); err != nil {
			return nil, stranger, err
		}
		stranger, err = netip.ParseAddr(string(text))
		return nil, stranger, err
	}
	c, err = connOf(control[:oob])
	return c, stranger, err
}

// connOf is the connection that a message brings.
func connOf(oob []byte) (net.Conn, error) {
	messages, err := syscall.ParseSocketControlMessage(oob)
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

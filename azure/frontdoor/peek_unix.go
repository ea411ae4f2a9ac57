//go:build unix

package frontdoor

import (
	"errors"
	"net"
	"syscall"
	"time"

	"hilrig/azure/tlswire"
)

// longestHello bounds what is looked at for a name.
const longestHello = 32 << 10

// helloName is the hub's name that a connection's ClientHello gives; empty where
// it gives none, or there is no ClientHello by then. What was sent stays where it
// is: the process that takes the connection reads it all.
func helloName(c *net.TCPConn, until time.Time) (name string) {
	raw, err := c.SyscallConn()
	if err != nil || c.SetReadDeadline(until) != nil {
		return ""
	}
	hello, seen, sent := tlswire.NewObserver(nil), 0, make([]byte, 2<<10)
	_ = raw.Read(func(fd uintptr) bool { // its error is that of a connection that has ended, or was too slow
		for {
			n, _, err := syscall.Recvfrom(int(fd), sent, syscall.MSG_PEEK)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil {
				return !errors.Is(err, syscall.EAGAIN)
			}
			hello.FromClient(sent[seen:max(n, seen)])
			seen = max(n, seen)
			if h := hello.Hello(); h != nil {
				name = h.ServerName
				return true
			}
			if n == 0 || hello.Lost() || n >= longestHello {
				return true
			}
			if n < len(sent) {
				return false
			}
			sent = append(sent, make([]byte, len(sent))...)
		}
	})
	return name
}

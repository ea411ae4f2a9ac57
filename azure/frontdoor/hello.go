package frontdoor

import (
	"net"
	"slices"
	"strings"
	"time"
)

const (
	helloWithin = 30 * time.Second // as a hub waits for a handshake
	longestName = 64               // of a stranger's hub, as it is told of
	mostSilent  = 1024             // connections whose ClientHello is waited for
)

// waitFor counts a connection among those whose ClientHello is waited for; false
// where the door is closed. Of too many the oldest is refused: a board speaks as
// soon as it is connected.
func (d *Door) waitFor(c *net.TCPConn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if len(d.silent) >= mostSilent {
		refuse(d.silent[0])
		d.silent = d.silent[1:]
	}
	d.silent = append(d.silent, c)
	return true
}

func (d *Door) waitedFor(c *net.TCPConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.silent, c); i >= 0 {
		d.silent = slices.Delete(d.silent, i, i+1)
	}
}

// shortened is a name as it is told of: a stranger chooses its length.
func shortened(name string) string {
	name = strings.ToValidUTF8(name, "?")
	if len(name) > longestName {
		return strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	return name
}

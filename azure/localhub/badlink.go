package localhub

import (
	"hilrig/azure/hub"
	"net"

	"hilrig/azure/link"
)

// link puts a connection that begins behind the bad link that is shown at
// present; without one it is left as it is. The hub's registers keep the
// device's own connection, so that Reset, Down and Close mean that one.
// Close ends the connection, and waits until what the hub has said before is
// through.
func (h *Hub) link(id int64, raw net.Conn, stranger bool) (wire net.Conn, close func()) {
	plain := func() { _ = raw.Close() }
	if stranger {
		return raw, plain
	}
	fault, shaped := h.faults.Use(id, func(f hub.Fault) bool { return !f.Link.IsZero() })
	if !shaped {
		return raw, plain
	}
	c := link.New(raw, fault.Link)
	h.log.Debug("link shaped", "connection", id, "fault", fault.Name, "link", fault.Link.String())
	return c, func() {
		_ = c.Close()
		<-c.Over() // the hub's own Close ends it at once
	}
}

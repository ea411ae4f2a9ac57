package localhub

import (
	"slices"

	"hilrig/azure"
	"hilrig/azure/hub"
)

// beside reports whether a CONNECT is that of another board of the device's own
// address, in a form that this hub can answer.
func (h *Hub) beside(k *hub.Connect) bool {
	return k.Level == 4 && slices.Contains(h.config.Beside, k.ClientID)
}

// keep gives a neighbour a session in which it is quiet: whoever is let in need
// not dial again, and what dials from its address meanwhile is the device. It
// is let in whatever it holds, which is judged when it is its turn; nothing that
// is shown is meant for it, and of what it sends nothing is recorded.
func (c *conn) keep(k *hub.Connect) {
	c.hs, c.kept = nil, true
	c.hub.aim.sparesIt(c.id)
	c.timeout = azure.ServerTimeout(k.KeepAlive)
	k.Reason = "another board of the device's own address, kept quiet until its turn"
	c.takeOver()
	c.accept(k, nil, c.hub.subs.begin(c.deviceID, k.Clean))
}

// keeps reports whether a connection is a neighbour's. With mu held.
func (h *Hub) keeps(conn int64) bool {
	for _, c := range h.live {
		if c.id == conn {
			return c.kept
		}
	}
	return false
}

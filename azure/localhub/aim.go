package localhub

import (
	"hilrig/azure/hub"
	"net/netip"
	"sync"
)

// aim says whom a fault that is one device's own concerns. A connection is the
// device's once it was admitted; before, it is known by the address that it
// came from last.
type aim struct {
	mu     sync.Mutex
	from   map[int64]netip.Addr  // connections that are open
	device map[int64]string      // those that were admitted
	apart  map[int64]bool        // those of boards that nothing is meant for
	at     map[string]netip.Addr // where an admitted device came from last
}

func newAim() *aim {
	return &aim{from: map[int64]netip.Addr{}, device: map[int64]string{}, apart: map[int64]bool{}, at: map[string]netip.Addr{}}
}

func (a *aim) arrives(conn int64, remote string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.from[conn] = hub.AddressOf(remote)
}

// admitted says whose a connection is.
func (a *aim) admitted(conn int64, device string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.device[conn] = device
	a.at[device] = a.from[conn]
}

func (a *aim) leaves(conn int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.from, conn)
	delete(a.device, conn)
	delete(a.apart, conn)
}

// sparesIt notes a connection that nothing is meant for.
func (a *aim) sparesIt(conn int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.apart[conn] = true
}

// concerns reports whether what is meant for a device is meant for a
// connection; an empty device is every one.
func (a *aim) concerns(conn int64, device string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if device == "" || a.apart[conn] {
		return !a.apart[conn]
	}
	if whose, known := a.device[conn]; known {
		return whose == device
	}
	at, known := a.at[device]
	return known && at.IsValid() && at == a.from[conn]
}

package localhub

import (
	"crypto/tls"
	"errors"
	"hilrig/azure/hub"
	"net"
	"slices"
	"sync"

	"hilrig/azure/tlswire"
)

// shape makes a handshake's configuration and wire those of the fault; met is
// called before the device can know of a cut, so that its next connection does
// not meet the fault once more.
func shape(f hub.Fault, c *tls.Config, wire net.Conn, o *tlswire.Observer, met func()) net.Conn {
	if f.Certificate != nil {
		c.Certificates = []tls.Certificate{*f.Certificate}
	}
	if f.Version != 0 {
		c.MinVersion, c.MaxVersion = f.Version, f.Version
		if f.Version < tls.VersionTLS12 {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}
	}
	if f.Suites != nil {
		c.CipherSuites = f.Suites
	}
	if f.RequireSNI {
		own := c.Certificates
		c.Certificates = nil
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				return nil, errors.New("no server name in the ClientHello")
			}
			return &own[0], nil
		}
	}
	if f.CutAfter != 0 || f.RecordSize != 0 || f.ByteEvery != 0 {
		return &shaped{Conn: wire, fault: f, o: o, met: met}
	}
	return wire
}

// showing is a fault while it is shown.
type showing struct {
	fault hub.Fault
	set   *faults

	mu    sync.Mutex
	left  int // showings to go; negative: until lifted
	shown int
}

// faults is what a hub shows at present.
type faults struct {
	hub *Hub
	aim *aim
	mu  sync.Mutex
	all []*showing
}

// Show shows a fault to connections that begin from now on, and to packets from
// now on: so many times, or until lifted where times is 0. Every showing is an
// event, so that a spec can prove that the device met it.
func (h *Hub) Show(f hub.Fault, times int) hub.Showing {
	if times <= 0 {
		times = -1
	}
	s := &showing{fault: f, set: h.faults, left: times}
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.all = append(slices.Clone(h.faults.all), s)
	return s
}

// Showing reports whether the hub shows any fault at present.
func (h *Hub) Showing() bool {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	return len(h.faults.all) > 0
}

// Lift ends the fault; more than once is no error.
func (s *showing) Lift() {
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	s.set.all = slices.DeleteFunc(slices.Clone(s.set.all), func(x *showing) bool { return x == s })
}

// Count is how often it was shown.
func (s *showing) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// forConnection are the faults that are now shown to a connection.
func (f *faults) forConnection(conn int64) []*showing {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	if !slices.ContainsFunc(all, func(s *showing) bool { return s.fault.Device != "" }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(s *showing) bool { return !f.aim.concerns(conn, s.fault.Device) })
}

// count notes a showing; false where the fault has been shown often enough.
func (s *showing) count(conn int64) bool {
	s.mu.Lock()
	if s.left == 0 {
		s.mu.Unlock()
		return false
	}
	if s.left > 0 {
		s.left--
	}
	s.shown++
	last := s.left == 0
	n := s.shown
	s.mu.Unlock()
	if last {
		s.Lift()
	}
	s.set.hub.events.Add(hub.Event{Kind: hub.KindFaultShown, Conn: conn, Fault: s.fault.Name, Text: s.fault.Shown(n)})
	return true
}

// take finds the first fault now shown that fits, and counts it.
func (f *faults) take(conn int64, fits func(hub.Fault) bool) (hub.Fault, bool) {
	for _, s := range f.forConnection(conn) {
		if fits(s.fault) && s.count(conn) {
			return s.fault, true
		}
	}
	return hub.Fault{}, false
}

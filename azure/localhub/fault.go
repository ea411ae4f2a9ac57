package localhub

import (
	"crypto/tls"
	"errors"
	"hilrig/azure/hub"
	"net"

	"hilrig/azure/tlswire"
)

// applyFault makes a handshake's configuration and wire those of the fault; met is
// called before the device can know of a cut, so that its next connection does
// not meet the fault once more.
func applyFault(f hub.Fault, c *tls.Config, wire net.Conn, o *tlswire.Observer, met func()) net.Conn {
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
		return &faultyConn{Conn: wire, fault: f, o: o, met: met}
	}
	return wire
}

// Show shows a fault to connections that begin from now on, and to packets from
// now on: so many times, or until lifted where times is 0. Every showing is an
// event, so that a spec can prove that the device met it.
func (h *Hub) Show(f hub.Fault, times int) hub.Showing { return h.faults.Show(f, times) }

// Showing reports whether the hub shows any fault at present.
func (h *Hub) Showing() bool { return h.faults.Any() }

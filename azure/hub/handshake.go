package hub

import (
	"crypto/x509"

	"hilrig/azure/tlswire"
	"hilrig/record"
)

// Observed takes what the wire showed of a handshake.
func (hs *Handshake) Observed(o *tlswire.Observer) {
	hs.Hello, hs.Messages = o.Hello(), o.Messages()
	if hs.Hello != nil {
		hs.ServerName, hs.Offered = hs.Hello.ServerName, nil
		for _, s := range hs.Hello.Suites {
			hs.Offered = append(hs.Offered, tlswire.SuiteName(s))
		}
	}
	if a := o.Server(); a != nil {
		hs.Version, hs.Suite = a.Version, a.Suite
		hs.VersionName, hs.SuiteName = tlswire.VersionName(a.Version), tlswire.SuiteName(a.Suite)
	}
	for _, a := range o.Alerts() {
		if a.FromClient && !a.Encrypted {
			hs.Alert = &Alert{Level: a.Level, Number: a.Number, Name: a.Name}
		}
	}
	g := o.Garbage()
	hs.Garbage = len(g) > 0 && g[0].FromClient && hs.Hello == nil
}

// Presented takes the certificates that the device showed, its own first.
func (hs *Handshake) Presented(chain []*x509.Certificate) {
	if hs.Certificates = chain; len(chain) > 0 {
		hs.Thumbprints = record.ThumbprintsOf(chain[0].Raw)
	}
}

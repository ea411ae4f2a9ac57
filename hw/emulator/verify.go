package emulator

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// verify is a device's check of its hub, step by step, so that firmware can
// lack one. Sound firmware does all of them.
func (b *behaviour) verify(chain []*x509.Certificate, roots []*x509.Certificate, host string, now time.Time) error {
	if b.skipAll {
		return nil
	}
	if len(chain) == 0 {
		return errors.New("no certificate")
	}
	path, err := b.path(chain, roots)
	if err != nil {
		return err
	}
	for _, c := range path {
		if now.After(c.NotAfter) && !b.skipExpiry {
			return x509.CertificateInvalidError{Cert: c, Reason: x509.Expired}
		}
		if now.Before(c.NotBefore) && !b.skipNotBefore {
			return x509.CertificateInvalidError{Cert: c, Reason: x509.Expired, Detail: "not yet valid"}
		}
	}
	leaf := chain[0]
	if !b.skipPurpose && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return x509.CertificateInvalidError{Cert: leaf, Reason: x509.IncompatibleUsage}
	}
	if !b.skipHost {
		return leaf.VerifyHostname(host)
	}
	return nil
}

// path goes from the leaf up to a root that the device holds.
func (b *behaviour) path(chain, roots []*x509.Certificate) ([]*x509.Certificate, error) {
	at, path := chain[0], []*x509.Certificate{chain[0]}
	for range 8 {
		for _, r := range roots {
			if b.signed(at, r) {
				return append(path, r), nil
			}
		}
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return !c.Equal(at) && b.signed(at, c) })
		if next < 0 {
			break
		}
		at = chain[next]
		path = append(path, at)
	}
	return nil, x509.UnknownAuthorityError{Cert: at}
}

// signed reports whether parent signed c, and was allowed to.
func (b *behaviour) signed(c, parent *x509.Certificate) bool {
	if string(c.RawIssuer) != string(parent.RawSubject) {
		return false
	}
	if !b.skipCA && (!parent.IsCA || !parent.BasicConstraintsValid) {
		return false
	}
	return parent.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// alertOf names an error as a TLS library would log it.
func alertOf(err error) string { return fmt.Sprintf("hub refused: %v", err) }

package broker

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/record"
)

// checkChain says what a device that has this root would find wrong with the
// chain that the broker presents: its name, its dates, who signed it.
func checkChain(chain []*x509.Certificate, root *x509.Certificate, host string, now time.Time) error {
	wrong := func(cure, format string, args ...any) error {
		return record.NewFailure(record.RigHub, "verify certificate of", host, fmt.Errorf(format, args...)).WithCure(cure)
	}
	if len(chain) == 0 {
		return wrong("has the broker a certificate (certfile) at this port?", "it presents none")
	}
	leaf := chain[0]
	if err := leaf.VerifyHostname(host); err != nil {
		return wrong("put a name of the certificate into url, or give the broker a certificate for "+host, "it is for %s, not for %s", names(leaf), host)
	}
	between := x509.NewCertPool()
	for i, c := range append(chain[:len(chain):len(chain)], root) {
		whose := fmt.Sprintf("%q", c.Subject)
		if i == len(chain) {
			whose = "the root " + whose
		}
		switch {
		case now.Before(c.NotBefore):
			return wrong("is this machine's clock right?", "%s is valid only from %s", whose, c.NotBefore.Format(time.DateTime))
		case now.After(c.NotAfter):
			return wrong("renew it; is this machine's clock right?", "%s has expired on %s", whose, c.NotAfter.Format(time.DateTime))
		}
		if i > 0 && i < len(chain) {
			between.AddCert(c)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	if err == nil {
		return nil
	}
	last := chain[len(chain)-1]
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		return wrong("look at it with: hilrig certs show FILE", "%w", err)
	}
	return wrong(fmt.Sprintf("root must be the certificate of %q; where that is not the root's own signer, the broker must send what is between", last.Issuer),
		"the root %q does not sign it: its chain ends at %q, signed by %q", root.Subject, last.Subject, last.Issuer)
}

// names are those that a certificate is for.
func names(c *x509.Certificate) string {
	all := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return fmt.Sprintf("no name (subject %q, which nobody looks at any more)", c.Subject)
	}
	return strings.Join(all, ", ")
}

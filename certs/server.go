package certs

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"hilrig/record"
)

// Server is the hub's certificate for a host name or an IP address, with the
// intermediate behind it, as Azure's chain is: leaf, issuing CA; the root is
// what the device holds. It is kept on disk per host. A host that no
// certificate can name is a usage failure.
func (s *Store) Server(ctx context.Context, host string) (tls.Certificate, error) {
	release, err := s.awaitTurn(ctx)
	if err != nil {
		return tls.Certificate{}, err
	}
	defer release()
	r, err := s.server(ctx, host)
	if err != nil {
		return tls.Certificate{}, err
	}
	return chainOf(r, s.ca), nil
}

// server is Server for who has the turn.
func (s *Store) server(ctx context.Context, host string) (Root, error) {
	if r, ok := s.servers[host]; ok {
		return r, nil
	}
	if err := checkHost(host); err != nil {
		return Root{}, record.NewFailure(record.Usage, "make server certificate for", host, err)
	}
	r, err := s.obtain(ctx, entry{
		name: "server-" + fileName(host), issuer: &s.ca,
		template: func(now time.Time) *x509.Certificate { return serverTemplate(host, now) },
		accept:   func(c *x509.Certificate) error { return c.VerifyHostname(host) },
	})
	if err == nil {
		s.servers[host] = r
	}
	return r, err
}

// chainOf is a leaf and what is sent after it.
func chainOf(leaf Root, above ...Root) tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{leaf.Certificate.Raw}, PrivateKey: leaf.key, Leaf: leaf.Certificate}
	for _, a := range above {
		c.Certificate = append(c.Certificate, a.Certificate.Raw)
	}
	return c
}

func serverTemplate(host string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: serial(), NotBefore: serverFrom, NotAfter: validUntil(now, serverYears), SignatureAlgorithm: x509.SHA256WithRSA,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	nameHost(t, host)
	return t
}

// nameHost puts the host into the SAN, where devices must look (RFC 6125), and
// into the CN, where old ones do, unless it is longer than a CN may be
// (RFC 5280 appendix A.1: 64).
func nameHost(t *x509.Certificate, host string) {
	t.Subject, t.DNSNames, t.IPAddresses = pkix.Name{}, nil, nil
	if len(host) <= 64 {
		t.Subject.CommonName = host
	}
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
		return
	}
	t.DNSNames = []string{host}
}

// checkHost refuses what a SAN cannot hold, and the usual slip: a port.
func checkHost(host string) error {
	switch {
	case host == "":
		return errors.New("no host name")
	case net.ParseIP(host) != nil:
		return nil
	case len(host) > 253:
		return fmt.Errorf("%d characters; a host name has at most 253", len(host))
	case strings.Contains(host, ":"):
		return errors.New("a host name without a port is wanted")
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, hostCharacters) != "" {
			return errors.New("not a host name: labels of 1 to 63 letters, digits and hyphens, separated by dots")
		}
	}
	return nil
}

const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// fileName is a host as part of a file name: different for different hosts
// also where the file system folds case, and short enough for any.
func fileName(host string) string {
	host = strings.ToLower(host)
	name := strings.NewReplacer(":", "_", "%", "_").Replace(host)
	if len(name) > 100 {
		sum := sha256.Sum256([]byte(host))
		name = name[:80] + "-" + hex.EncodeToString(sum[:8])
	}
	return name
}

// RootSigns reports whether a chain (leaf first) ends in this root, now, for
// servers.
func RootSigns(root *x509.Certificate, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("the hub has no certificate")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	if err != nil {
		return fmt.Errorf("the hub's certificate %q does not lead to the root %q: %w", chain[0].Subject, root.Subject, err)
	}
	return nil
}

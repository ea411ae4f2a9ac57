package emulator

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"
)

// Why the device does not even try.
var (
	errBadRoot     = errors.New("the root certificate cannot be used")
	errBadIdentity = errors.New("certificate and key cannot be used")
)

// dial opens TLS to the hub with what the device holds.
func (m *modem) dial(ctx context.Context, set files) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, m.b.handshakeWithin)
	defer cancel()
	h := &handshake{b: m.b, number: m.handshakes}
	config, err := m.tlsConfig(set, h)
	if err != nil {
		return nil, err
	}
	if m.b.preface != nil {
		if raw, err := m.dialTCP(ctx); err == nil {
			m.b.preface(raw)
			_ = raw.Close()
		}
	}
	raw, err := m.dialTCP(ctx)
	if err != nil {
		return nil, err
	}
	m.handshakes++
	r := &records{Conn: raw, h: h, silence: m.b.silenceWithin}
	conn := tlsClient(tls.Client(r, config))
	if m.b.hello != nil || m.b.skipsSignature {
		conn = newSmallTLS(r, config, m.b.ownHello(), m.b.skipsSignature)
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if err := r.finished(); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return conn, nil
}

// tlsClient is what dial needs of a TLS stack.
type tlsClient interface {
	net.Conn
	HandshakeContext(context.Context) error
}

// dialTCP goes straight to the hub, without a proxy, and without TCP's own
// keep-alive: that a hub is gone is for MQTT to notice. Of a distance TCP's own
// handshake, which is the kernel's, sees nothing.
func (m *modem) dialTCP(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1}
	if m.from != nil {
		d.LocalAddr = &net.TCPAddr{IP: m.from}
	}
	raw, err := d.DialContext(ctx, "tcp", m.hub)
	if err != nil || m.b.oneWay == 0 {
		return raw, err
	}
	return delay(raw, m.b.oneWay), nil
}

// isCut reports whether an error of dial is the network's and not a verdict.
func isCut(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.As(err, &network) && network.Timeout()
}

// tlsConfig is TLS 1.2 with full verification, less what a fault leaves out.
// Sessions are never resumed: whoever looks on sees the certificate each time.
func (m *modem) tlsConfig(set files, h *handshake) (*tls.Config, error) {
	b := m.b
	c := &tls.Config{
		MinVersion: b.minVersion, MaxVersion: b.maxVersion, CipherSuites: b.suites,
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384},
		ServerName:       m.hubName, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, // verified below, so that a fault can leave a check out
	}
	if b.noSNI {
		c.ServerName = ""
	}
	v := verifier{roots: certificates(b.stored(set, slotRoot)), host: m.hubName, skip: b.skip, names: b.namesHub}
	if len(v.roots) == 0 {
		if !b.trustsAfterBadRoot {
			return nil, errBadRoot
		}
		v.skip = map[string]bool{checkAll: true}
	}
	c.VerifyConnection = func(s tls.ConnectionState) error {
		err := v.verify(s.PeerCertificates, b.now())
		h.refuse(err)
		if err != nil && b.fallsBack {
			b.skip[checkAll] = true
		}
		return err
	}
	own := &tls.Certificate{}
	if !b.noCertificate {
		var err error
		if own, err = b.identity(set); err != nil {
			return nil, err
		}
		if m.firstKey == nil {
			m.firstKey, _ = own.PrivateKey.(crypto.Signer)
		}
		if b.cachesKey {
			own.PrivateKey = m.firstKey
		}
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	return c, nil
}

// stored is a file as the TLS stack sees it.
func (b *behaviour) stored(set files, slot int) string {
	if b.read != nil {
		return b.read(slot, set[slot])
	}
	return set[slot]
}

// identity is the certificate to present and its key.
func (b *behaviour) identity(set files) (*tls.Certificate, error) {
	from := slotCertificate
	if b.swaps {
		from = slotRoot
	}
	chain, key := certificates(b.stored(set, from)), privateKey(b.stored(set, slotKey))
	if len(chain) == 0 || key == nil || !b.swaps && mismatched(set) {
		return nil, errBadIdentity
	}
	own := &tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		own.Certificate = append(own.Certificate, c.Raw)
	}
	return own, nil
}

// verifier is a device's check of its hub.
type verifier struct {
	roots []*x509.Certificate
	host  string
	skip  map[string]bool
	names func(c *x509.Certificate, host string) bool // in place of the right check of the name
}

// The checks that faults leave out.
const (
	checkAll     = "all"
	checkHost    = "host"
	checkExpired = "expired"
	checkEarly   = "not yet valid"
	checkPurpose = "purpose"
	checkCA      = "ca"
	checkRootKey = "the root's key"
)

// verify is crypto/x509's verification, of certificates that are made to look
// right in what the firmware does not look at.
func (v verifier) verify(chain []*x509.Certificate, now time.Time) error {
	switch {
	case v.skip[checkAll]:
		return nil
	case len(chain) == 0:
		return errors.New("the hub has no certificate")
	}
	roots := v.roots
	if v.skip[checkRootKey] {
		roots = append(v.namesakesIssued(chain[1:]), roots...)
	}
	o := x509.VerifyOptions{
		Roots: pool(v.seen(roots, now)), Intermediates: pool(v.seen(chain[1:], now)), DNSName: v.host,
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if v.skip[checkHost] || v.names != nil {
		o.DNSName = ""
	}
	if v.names != nil && !v.names(chain[0], v.host) {
		return errors.New("the certificate is another host's")
	}
	if v.skip[checkPurpose] {
		o.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	_, err := v.seen(chain[:1], now)[0].Verify(o)
	return err
}

// namesakesIssued are those of a chain that name a root of the device's as their
// issuer: a firmware that does not look at the root's key takes them as they are.
func (v verifier) namesakesIssued(chain []*x509.Certificate) []*x509.Certificate {
	var issued []*x509.Certificate
	for _, c := range chain {
		if slices.ContainsFunc(v.roots, func(r *x509.Certificate) bool {
			return bytes.Equal(c.RawIssuer, r.RawSubject) && bytes.Equal(c.AuthorityKeyId, r.SubjectKeyId)
		}) {
			issued = append(issued, c)
		}
	}
	return issued
}

// seen are certificates as the firmware sees them.
func (v verifier) seen(cs []*x509.Certificate, now time.Time) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range cs {
		c := *c
		if v.skip[checkExpired] && now.After(c.NotAfter) {
			c.NotAfter = now
		}
		if v.skip[checkEarly] && now.Before(c.NotBefore) {
			c.NotBefore = now
		}
		if v.skip[checkCA] {
			c.IsCA, c.BasicConstraintsValid = true, true
			c.KeyUsage |= x509.KeyUsageCertSign
		}
		out = append(out, &c)
	}
	return out
}

func pool(cs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range cs {
		p.AddCert(c)
	}
	return p
}

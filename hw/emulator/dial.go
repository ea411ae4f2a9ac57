package emulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// dial opens TLS to the hub with what the device holds.
func (m *modem) dial(ctx context.Context, set files) (net.Conn, error) {
	b := m.b
	ctx, cancel := context.WithTimeout(ctx, b.handshakeWithin)
	defer cancel()
	config, err := b.tlsConfig(set, m.hubName)
	if err != nil {
		return nil, err
	}
	raw, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", m.hub)
	if err != nil {
		return nil, err
	}
	wire := raw
	if b.mute {
		wire = &speechless{Conn: raw}
	}
	if b.flaky > 0 && rand.IntN(b.flaky) == 0 {
		_ = raw.Close()
		return nil, errors.New("handshake failed (flaky)")
	}
	t := tls.Client(wire, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return t, nil
}

// tlsConfig is TLS 1.2 with full verification, less what a fault leaves out.
func (b *behaviour) tlsConfig(set files, host string) (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: b.minVersion, MaxVersion: b.maxVersion, CipherSuites: b.suites,
		ServerName: host, ClientSessionCache: nil, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, //nolint:gosec // verified below, by the same rules, so that a fault can leave one out
	}
	roots := parseRoots(b.usable(set[slotRoot]))
	check := *b
	if len(roots) == 0 {
		if !b.trustAfterBadRoot {
			return nil, errors.New("no usable root certificate")
		}
		check.skipAll = true
	}
	c.VerifyConnection = func(st tls.ConnectionState) error {
		return check.verify(st.PeerCertificates, roots, host, time.Now())
	}
	if b.noSNI {
		c.ServerName = ""
	}
	if b.noClientCert {
		return c, nil
	}
	if b.noPKCS8 && strings.Contains(set[slotKey], "BEGIN PRIVATE KEY") {
		return nil, errors.New("mbedtls_pk_parse_key returned -0x3D00")
	}
	pair, err := tls.X509KeyPair([]byte(b.usable(set[slotCertificate])), []byte(b.usable(set[slotKey])))
	if err != nil {
		return nil, errors.New("certificate and key cannot be used")
	}
	if b.swapSlots {
		if block, _ := pem.Decode([]byte(set[slotRoot])); block != nil {
			pair.Certificate = [][]byte{block.Bytes}
		}
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return c, nil
}

func parseRoots(data string) []*x509.Certificate {
	var roots []*x509.Certificate
	for rest := []byte(data); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return roots
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			roots = append(roots, c)
		}
	}
}

// speechless drops alerts: TLS stacks that just close the socket.
type speechless struct{ net.Conn }

const recordAlert = 21

func (s *speechless) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0] == recordAlert {
		return len(b), nil
	}
	return s.Conn.Write(b)
}

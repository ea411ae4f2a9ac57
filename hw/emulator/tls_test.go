package emulator

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"
)

// fragmented is a server that spreads its handshake messages over records of
// so many bytes; slow waits before each byte.
type fragmented struct {
	net.Conn
	size  int
	slow  time.Duration
	clear bool // its records are encrypted from here on
}

func (f *fragmented) Write(b []byte) (int, error) {
	for rest := b; len(rest) >= recordHead; {
		end := recordHead + int(binary.BigEndian.Uint16(rest[3:]))
		if err := f.record(rest[:end]); err != nil {
			return 0, err
		}
		rest = rest[end:]
	}
	return len(b), nil
}

func (f *fragmented) record(r []byte) error {
	f.clear = f.clear || r[0] == recordChangeCipher
	size := f.size
	if f.clear || r[0] != recordHandshake || size == 0 {
		size = len(r)
	}
	for body := r[recordHead:]; len(body) > 0; {
		n := min(size, len(body))
		piece := append([]byte{r[0], r[1], r[2]}, vector(2, body[:n])...)
		body = body[n:]
		for _, v := range piece {
			if f.slow > 0 && !f.clear {
				time.Sleep(f.slow)
				if _, err := f.Conn.Write([]byte{v}); err != nil {
					return err
				}
			}
		}
		if f.slow == 0 || f.clear {
			if _, err := f.Conn.Write(piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// What sound firmware completes, and one fault does not.
func TestHandshakesThatAFaultCannotDo(t *testing.T) {
	t.Parallel()
	filler := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: make([]byte, 5000)}}
	}
	for fault, tc := range map[string]struct {
		cert   func(*x509.Certificate)
		config func(*tls.Config)
		wrap   func(net.Conn) net.Conn
	}{
		"small-rx-buffer": {cert: filler},
		"no-reassembly":   {wrap: func(c net.Conn) net.Conn { return &fragmented{Conn: c, size: 100} }},
		"impatient":       {wrap: func(c net.Conn) net.Conn { return &fragmented{Conn: c, slow: 1500 * time.Microsecond} }},
		"suite-breaks": {config: func(c *tls.Config) {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
		}},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for _, f := range []string{"", fault} {
				ca := newAuthority(t, "the rig's root")
				h := newHub(t, ca.server(t, "hub.test", tc.cert), tc.config)
				h.interpose(tc.wrap)
				meet(t, h, ca, f)
				e := h.await("handshake", func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" })
				if (e.kind == "handshake") != (f == "") {
					t.Errorf("fault %q: %s %v", f, e.kind, e.err)
				}
			}
		})
	}
}

func TestEverySuiteOfSoundFirmware(t *testing.T) {
	t.Parallel()
	for _, s := range hubSuites() {
		ca := newAuthority(t, "the rig's root")
		h := newHub(t, ca.server(t, "hub.test", nil), func(c *tls.Config) { c.CipherSuites = []uint16{s} })
		meet(t, h, ca, "")
		h.packet("telemetry over "+tls.CipherSuiteName(s), kindPublish)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault     string
		version   uint16
		completes bool
	}{
		{"", tls.VersionTLS10, false}, {"", tls.VersionTLS11, false}, {"", tls.VersionTLS12, true}, {"", tls.VersionTLS13, false},
		{"tls10-allowed", tls.VersionTLS10, true}, {"tls11-allowed", tls.VersionTLS11, true}, {"tls11-allowed", tls.VersionTLS10, false},
		{"tls13-only", tls.VersionTLS12, false}, {"tls13-only", tls.VersionTLS13, true},
	} {
		t.Run(tc.fault+" "+tls.VersionName(tc.version), func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t, "the rig's root")
			h := newHub(t, ca.server(t, "hub.test", nil), func(c *tls.Config) {
				c.MinVersion, c.MaxVersion = tc.version, tc.version
				c.CipherSuites = append(c.CipherSuites, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)
			})
			meet(t, h, ca, tc.fault)
			e := h.await("handshake", func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" })
			if (e.kind == "handshake") != tc.completes {
				t.Errorf("%s %v", e.kind, e.err)
			}
		})
	}
}

// What is in the ClientHello, or not.
func TestHellos(t *testing.T) {
	t.Parallel()
	for fault, seen := range map[string]func(*tls.ClientHelloInfo) bool{
		"no-sni": func(h *tls.ClientHelloInfo) bool { return h.ServerName == "" },
		"rc4-offered": func(h *tls.ClientHelloInfo) bool {
			return slices.Contains(h.CipherSuites, tls.TLS_RSA_WITH_RC4_128_SHA)
		},
		"no-common-suite": func(h *tls.ClientHelloInfo) bool { return !slices.ContainsFunc(h.CipherSuites, isHubSuite) },
		"md5-signatures":  func(h *tls.ClientHelloInfo) bool { return slices.Contains(h.SignatureSchemes, 0x0101) },
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for _, f := range []string{"", fault} {
				ca := newAuthority(t, "the rig's root")
				h := newHub(t, ca.server(t, "hub.test", nil), nil)
				meet(t, h, ca, f)
				if f == fault {
					h.await("ClientHello as the fault has it", func(e hubEvent) bool { return e.hello != nil && seen(e.hello) })
					continue
				}
				if e := h.await("ClientHello", func(e hubEvent) bool { return e.hello != nil }); seen(e.hello) {
					t.Errorf("sound firmware: %+v", e.hello)
				}
			}
		})
	}
}

func isHubSuite(s uint16) bool { return slices.Contains(hubSuites(), s) }

func TestCompressionIsOffered(t *testing.T) {
	t.Parallel()
	r := hello{compression: []byte{1, 0}}.body()
	at := 2 + 32 + 1 // behind version, random and session
	at += 2 + int(binary.BigEndian.Uint16(r[at:]))
	if string(r[at:at+3]) != "\x02\x01\x00" {
		t.Errorf("compression methods % x", r[at:at+3])
	}
	f := newFixture(t, nil, nil)
	f.boot(t, Config{Faults: []string{"compression-offered"}}, nil)
	f.packet("telemetry over the very connection", kindPublish)
}

// The stack that is not Go's checks what Go's does: a hub that cannot prove its
// certificate's key is refused, in each form of the signature.
func TestTheOwnStackChecksTheProof(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "compression-offered", "md5-signatures", "skips-signature"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t, "the rig's root")
			stolen := ca.server(t, "hub.test", nil)
			stolen.PrivateKey = rsaKeys()[0]
			h := newHub(t, stolen, nil)
			meet(t, h, ca, fault)
			e := h.await("handshake", func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" })
			if took := e.kind == "handshake"; took != (fault == "skips-signature") {
				t.Errorf("taken: %v (%v)", took, e.err)
			}
		})
	}
}

func TestNoClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "the rig's root")
	h := newHub(t, ca.server(t, "hub.test", nil), nil)
	meet(t, h, ca, "no-client-certificate")
	if e := h.await("handshake", isKind("handshake")); len(e.state.PeerCertificates) != 0 {
		t.Error("presents a certificate")
	}
}

func TestFlakyHandshake(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.behave(script{dropAfter: 1})
	f.boot(t, Config{Faults: []string{"flaky-handshake"}}, func(b *behaviour) { b.retry = retry{first: ms(1), most: ms(1), growth: 1} })
	failed := 0
	for range 20 {
		if f.await("handshake", func(e hubEvent) bool { return e.kind == "failed" || e.kind == "handshake" }).kind == "failed" {
			failed++
		}
	}
	if failed != 2 {
		t.Errorf("%d of 20 handshakes failed", failed)
	}
}

func TestDiesInHandshakeCut(t *testing.T) {
	t.Parallel()
	for fault, back := range map[string]bool{"": true, "dies-in-handshake-cut": false} {
		f := newFixture(t, nil, nil)
		f.interpose(func(c net.Conn) net.Conn { _ = c.Close(); return c })
		var faults []string
		if fault != "" {
			faults = []string{fault}
		}
		f.boot(t, Config{Faults: faults}, nil)
		f.await("handshake that is cut", isKind("failed"))
		if _, ok := f.within(3*time.Second, isKind("accepted")); ok != back {
			t.Errorf("fault %q comes back: %v", fault, ok)
		}
	}
}

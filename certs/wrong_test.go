package certs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/peers"
)

// asked is what Go's verifier was asked, and what alone has to be changed for
// it to be content: proof that nothing else is wrong.
type asked struct {
	root *x509.Certificate
	x509.VerifyOptions
}

// wrongs says for each profile what Go's and openssl's verifiers find, and
// what would make it right.
var wrongs = map[certs.Profile]struct {
	err     func(error) bool // nil: it must be taken
	openssl string           // numbers of X509_V_ERR_…, openssl-verification-options(1)
	differs string           // from the good certificate
	cure    func(a *asked, c tls.Certificate)
}{
	certs.UnknownRoot:  {isUnknown, "20", "issuer", func(a *asked, c tls.Certificate) { a.root, _ = x509.ParseCertificate(c.Certificate[1]) }},
	certs.SelfSigned:   {isUnknown, "18", "issuer, chain", func(a *asked, c tls.Certificate) { a.root = c.Leaf }},
	certs.WrongName:    {isName, "62", "subject, names", func(a *asked, c tls.Certificate) { a.DNSName = "another-hub.example" }},
	certs.Lookalike:    {isName, "62", "names", func(a *asked, c tls.Certificate) { a.DNSName = c.Leaf.DNSNames[0] }},
	certs.Expired:      {isInvalid(x509.Expired), "10", "dates", func(a *asked, c tls.Certificate) { a.CurrentTime = c.Leaf.NotAfter.Add(-time.Hour) }},
	certs.NotYetValid:  {isInvalid(x509.Expired), "9", "dates", func(a *asked, c tls.Certificate) { a.CurrentTime = c.Leaf.NotBefore.Add(time.Hour) }},
	certs.NoServerAuth: {isInvalid(x509.IncompatibleUsage), "26", "purposes", func(a *asked, c tls.Certificate) { a.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }},
	certs.NotACA:       {isNotACA, "26 79", "issuer", nil}, // its check of an issuer's purpose asks once more whether it is a CA
	certs.NamesakeRoot: {isUnknown, "7", "chain", func(a *asked, c tls.Certificate) { a.root, _ = x509.ParseCertificate(c.Certificate[2]) }},
	// Their certificates are the good ones: what is wrong is in the handshake.
	certs.StolenCertificate: {isUnproven, "", "", func(*asked, tls.Certificate) {}},
	certs.FlippedSignature:  {isUnproven, "", "", func(*asked, tls.Certificate) {}},
	certs.LargeChain:        {nil, "", "names", nil},
	certs.LargeChain20:      {nil, "", "names", nil},
	certs.SecondRoot:        {nil, "", "issuer", nil},
}

func isUnknown(err error) bool {
	var e x509.UnknownAuthorityError
	return errors.As(err, &e)
}

func isName(err error) bool {
	var e x509.HostnameError
	return errors.As(err, &e)
}

func isInvalid(reason x509.InvalidReason) func(error) bool {
	return func(err error) bool {
		var e x509.CertificateInvalidError
		return errors.As(err, &e) && e.Reason == reason
	}
}

// isUnproven: the client found no signature of the certificate's key.
func isUnproven(err error) bool {
	return strings.Contains(err.Error(), "invalid signature by the server certificate") // crypto/tls has no type for it
}

// isNotACA: Go reports an issuer that may not sign as an unknown authority,
// with the reason in its text only.
func isNotACA(err error) bool {
	return isUnknown(err) && strings.Contains(err.Error(), "parent certificate cannot sign this kind of certificate")
}

func handshake(t *testing.T, c tls.Certificate, root *x509.Certificate) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	pool := x509.NewCertPool()
	pool.AddCert(root)
	go func() {
		_ = tls.Server(b, &tls.Config{Certificates: []tls.Certificate{c}}).HandshakeContext(t.Context())
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return tls.Client(a, &tls.Config{RootCAs: pool, ServerName: "localhost", MaxVersion: tls.VersionTLS12}).HandshakeContext(ctx)
}

func TestEveryProfileIsTested(t *testing.T) {
	for _, p := range certs.Profiles() {
		w, ok := wrongs[p.Profile]
		if !ok || (p.Wrong == "") == (p.Unusual == "") || p.Source == "" || (p.Wrong == "") != (w.err == nil) {
			t.Errorf("%+v", p)
		}
	}
	if len(wrongs) != len(certs.Profiles()) {
		t.Errorf("%d profiles, %d tested", len(certs.Profiles()), len(wrongs))
	}
}

// Each is refused for its own reason by a TLS client, and would be taken but
// for that.
func TestWrongServersAreWrongInOneWay(t *testing.T) {
	s := open(t, madeStore(t).dir)
	second, err := s.SecondRoot()
	if err != nil {
		t.Fatal(err)
	}
	good, err := s.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for profile, w := range wrongs {
		t.Run(string(profile), func(t *testing.T) {
			c, err := s.WrongServer(t.Context(), "localhost", profile)
			if err != nil {
				t.Fatal(err)
			}
			root := s.Root().Certificate
			if profile == certs.SecondRoot {
				if err := handshake(t, c, root); !isUnknown(err) {
					t.Errorf("with the first root: %v", err)
				}
				root = second.Certificate
			}
			if err := handshake(t, c, root); w.err == nil && err != nil || w.err != nil && !w.err(err) {
				t.Errorf("error %v", err)
			}
			if got := differences(t, good, c); got != w.differs {
				t.Errorf("differs in %s, expected %s", got, w.differs)
			}
			if w.cure == nil {
				return
			}
			a := asked{root, x509.VerifyOptions{DNSName: "localhost"}}
			w.cure(&a, c)
			if err := verify(c, a.root, a.VerifyOptions); err != nil {
				t.Errorf("something else is wrong too: %v", err)
			}
		})
	}
}

// differences are the fields of the leaf, and the length of the chain, that
// are not the good one's. Serial number and signature always differ; who the
// issuer is shows in its name, key id and signature at once.
func differences(t *testing.T, good, c tls.Certificate) string {
	t.Helper()
	fields := func(c tls.Certificate) map[string]string {
		chain := parsed(t, c)
		l := chain[0]
		return map[string]string{
			"issuer": fmt.Sprintf("%s %X", l.Issuer, l.AuthorityKeyId), "subject": l.Subject.String(), "names": fmt.Sprint(l.DNSNames, l.IPAddresses),
			"dates": fmt.Sprint(l.NotBefore, l.NotAfter), "purposes": fmt.Sprint(l.ExtKeyUsage), "usage": fmt.Sprint(l.KeyUsage),
			"authority": fmt.Sprint(l.IsCA, l.BasicConstraintsValid), "key": fmt.Sprint(l.PublicKey), "signature": l.SignatureAlgorithm.String(),
			"chain": fmt.Sprint(len(chain)), "version": fmt.Sprint(l.Version), "extensions": fmt.Sprint(len(l.Extensions)),
		}
	}
	g, w := fields(good), fields(c)
	var differ []string
	for _, name := range []string{"issuer", "subject", "names", "dates", "purposes", "usage", "authority", "key", "signature", "chain", "version", "extensions"} {
		if g[name] != w[name] {
			differ = append(differ, name)
		}
	}
	return strings.Join(differ, ", ")
}

// The issuer that is no CA signed the leaf, is signed by the root, and says
// CA:FALSE: that alone.
func TestNotACAIsOtherwiseSound(t *testing.T) {
	s := open(t, madeStore(t).dir)
	c, err := s.WrongServer(t.Context(), "localhost", certs.NotACA)
	if err != nil {
		t.Fatal(err)
	}
	chain := parsed(t, c)
	issuer, root := chain[1], s.Root().Certificate
	if err := issuer.CheckSignature(chain[0].SignatureAlgorithm, chain[0].RawTBSCertificate, chain[0].Signature); err != nil {
		t.Errorf("leaf: %v", err)
	}
	if err := issuer.CheckSignatureFrom(root); err != nil {
		t.Errorf("issuer: %v", err)
	}
	if issuer.IsCA || !issuer.BasicConstraintsValid || issuer.KeyUsage != 0 {
		t.Errorf("CA %v, key usage %v", issuer.IsCA, issuer.KeyUsage)
	}
}

func TestLargeChains(t *testing.T) {
	s := open(t, madeStore(t).dir)
	for profile, least := range map[certs.Profile]int{certs.LargeChain: 8192, certs.LargeChain20: 4440} {
		c, err := s.WrongServer(t.Context(), "localhost", profile)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, der := range c.Certificate {
			size += len(der)
		}
		if size < least || size > least+100 {
			t.Errorf("%s: %d bytes, expected %d", profile, size, least)
		}
	}
}

func TestWrongNameOfAnAddress(t *testing.T) {
	s := open(t, madeStore(t).dir)
	c, err := s.WrongServer(t.Context(), "127.0.0.1", certs.WrongName)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(c, s.Root().Certificate, x509.VerifyOptions{DNSName: "127.0.0.1"}); !isName(err) {
		t.Errorf("error %v", err)
	}
}

// With the keys there, a wrong certificate costs a signature or two; the
// second time nothing.
func TestWrongServersAreCheap(t *testing.T) {
	s := open(t, madeStore(t).dir)
	start := time.Now()
	for _, p := range certs.Profiles() {
		if _, err := s.WrongServer(t.Context(), "localhost", p.Profile); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("all of them took %s: are keys made?", took)
	}
	first, _ := s.WrongServer(t.Context(), "localhost", certs.Expired)
	second, _ := s.WrongServer(t.Context(), "localhost", certs.Expired)
	if first.Leaf != second.Leaf {
		t.Error("made again")
	}
}

func TestNoSuchProfile(t *testing.T) {
	s := open(t, madeStore(t).dir)
	if _, err := s.WrongServer(t.Context(), "localhost", "no-such"); err == nil || !strings.Contains(err.Error(), "no-such") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.WrongServer(ctx, "localhost", certs.Expired); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

var opensslError = regexp.MustCompile(`(?m)^error (\d+) at`)

// openssl, in its strictest mode, finds the one error and no other, and none
// in what must be taken.
func TestOpenSSLFindsTheSameOneError(t *testing.T) {
	peers.Find(t, "openssl")
	f := madeStore(t)
	s := open(t, f.dir)
	second, err := s.SecondRoot()
	if err != nil {
		t.Fatal(err)
	}
	for profile, w := range wrongs {
		t.Run(string(profile), func(t *testing.T) {
			c, err := s.WrongServer(t.Context(), "localhost", profile)
			if err != nil {
				t.Fatal(err)
			}
			root := s.Root()
			if profile == certs.SecondRoot {
				root = second
			}
			args := []string{"verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost", "-CAfile", f.put("ca", root.PEM)}
			for i, der := range c.Certificate[1:] {
				args = append(args, "-untrusted", f.put(fmt.Sprint("untrusted", i), pemOf("CERTIFICATE", der)))
			}
			out, err := tryOpenSSL(t, nil, append(args, f.put("leaf", pemOf("CERTIFICATE", c.Certificate[0])))...)
			numbers := map[string]bool{}
			for _, m := range opensslError.FindAllStringSubmatch(out, -1) {
				numbers[m[1]] = true
			}
			if got := strings.Join(slices.Sorted(maps.Keys(numbers)), " "); got != w.openssl || (err == nil) != (w.openssl == "") {
				t.Errorf("errors %q, expected %q (%v):\n%s", got, w.openssl, err, out)
			}
		})
	}
}

// serve shakes hands with whoever dials and reports what they presented.
func serve(t *testing.T, c tls.Certificate) (addr string, presented <-chan []*x509.Certificate) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	got := make(chan []*x509.Certificate, 8)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			x := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{c}, ClientAuth: tls.RequestClientCert, MaxVersion: tls.VersionTLS12})
			if x.HandshakeContext(t.Context()) == nil {
				got <- x.ConnectionState().PeerCertificates
			} else {
				got <- nil
			}
			_ = x.Close()
		}
	}()
	return ln.Addr().String(), got
}

// A real TLS client with our identity meets the good server and each wrong
// one: it proves the key to the first and the large ones, and breaks off for
// its reason with the others.
func TestSClientMeetsTheServers(t *testing.T) {
	peers.Find(t, "openssl")
	f := madeStore(t)
	s := open(t, f.dir)
	id := shared(t, sharedPKCS1)
	crt, key, root := f.put("device.crt", id.CertificatePEM), f.put("device.key", id.KeyPEM), f.put("ca", s.Root().PEM)
	meet := func(t *testing.T, c tls.Certificate) (string, []*x509.Certificate) {
		addr, presented := serve(t, c)
		out, _ := tryOpenSSL(t, nil, "s_client", "-connect", addr, "-servername", "localhost", "-verify_hostname", "localhost", "-tls1_2",
			"-CAfile", root, "-verify_return_error", "-cert", crt, "-key", key)
		return out, <-presented
	}
	good, err := s.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	out, presented := meet(t, good)
	if len(presented) != 1 || certs.ThumbprintsOf(presented[0]) != certs.ThumbprintsOf(id.Certificate) || !strings.Contains(out, "Verify return code: 0 (ok)") {
		t.Errorf("the good one: presented %d certificates\n%s", len(presented), out)
	}
	for profile, w := range wrongs {
		if profile == certs.SecondRoot {
			continue
		}
		t.Run(string(profile), func(t *testing.T) {
			c, err := s.WrongServer(t.Context(), "localhost", profile)
			if err != nil {
				t.Fatal(err)
			}
			out, presented := meet(t, c)
			refused := slices.ContainsFunc(strings.Fields(w.openssl), func(number string) bool {
				return strings.Contains(out, "verify error:num="+number+":")
			})
			if w.openssl == "" { // nothing is wrong with the chain: the handshake's signature is what it looks at
				refused = strings.Contains(out, ":bad signature:")
			}
			if w.err != nil && (!refused || presented != nil) || w.err == nil && len(presented) != 1 {
				t.Errorf("refused %v, presented %d:\n%s", refused, len(presented), out)
			}
		})
	}
}

// The other way round: a real TLS server that asks for a certificate takes our
// identity's key, and our root verifies what it presents.
func TestSServerTakesOurIdentity(t *testing.T) {
	peers.Find(t, "openssl")
	f := madeStore(t)
	s := open(t, f.dir)
	id := shared(t, sharedIdentity)
	c, err := s.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	addr := startSServer(t, f, c, id)
	pool := x509.NewCertPool()
	pool.AddCert(s.Root().Certificate)
	d := tls.Dialer{Config: &tls.Config{
		RootCAs: pool, ServerName: "localhost", MaxVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{id.Certificate.Raw}, PrivateKey: id.Key}},
	}}
	conn, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

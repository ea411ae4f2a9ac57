package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/record"
)

func parsed(t testing.TB, c tls.Certificate) (chain []*x509.Certificate) {
	t.Helper()
	for _, der := range c.Certificate {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, x)
	}
	return chain
}

// verify holds a chain against a root, now and for servers unless o says
// otherwise.
func verify(c tls.Certificate, root *x509.Certificate, o x509.VerifyOptions) error {
	o.Roots, o.Intermediates = x509.NewCertPool(), x509.NewCertPool()
	o.Roots.AddCert(root)
	for _, der := range c.Certificate[1:] {
		x, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		o.Intermediates.AddCert(x)
	}
	_, err := c.Leaf.Verify(o)
	return err
}

func TestServerIsAsAzures(t *testing.T) {
	s := open(t, madeStore(t).dir)
	for _, host := range []string{"localhost", "hub.rig.lan", "127.0.0.1", "::1", "MyVeryFirstHub.azure-devices.net"} {
		t.Run(host, func(t *testing.T) {
			c, err := s.Server(t.Context(), host)
			if err != nil {
				t.Fatal(err)
			}
			chain := parsed(t, c)
			if len(chain) != 2 || chain[1].Subject.String() != chain[0].Issuer.String() || chain[1].Issuer.String() != s.Root().Certificate.Subject.String() {
				t.Fatalf("chain of %d: not leaf and issuing CA below the root", len(chain))
			}
			leaf := chain[0]
			if leaf.Subject.CommonName != host || certs.KeyBits(leaf) != 2048 || leaf.SignatureAlgorithm != x509.SHA256WithRSA || c.Leaf == nil {
				t.Errorf("%v", certs.DescribeCertificate(leaf))
			}
			if err := certs.RootSigns(s.Root().Certificate, chain); err != nil {
				t.Error(err)
			}
			for _, at := range []time.Time{time.Now(), time.Now().AddDate(-8, 0, 0), time.Date(2037, 12, 31, 0, 0, 0, 0, time.UTC)} {
				if err := verify(c, s.Root().Certificate, x509.VerifyOptions{DNSName: host, CurrentTime: at}); err != nil {
					t.Errorf("a device whose clock says %s: %v", at.Format(time.DateOnly), err)
				}
			}
			for _, x := range append(chain, s.Root().Certificate) { // a signed 32-bit clock ends on 2038-01-19
				if x.NotAfter.Unix() > 1<<31-1 {
					t.Errorf("%s ends %s: a 32-bit clock takes that for 1901", x.Subject, x.NotAfter)
				}
			}
		})
	}
}

func TestLongHostName(t *testing.T) {
	s := open(t, madeStore(t).dir)
	host := strings.Repeat("a", 60) + "." + strings.Repeat(strings.Repeat("b", 62)+".", 3) + "c"
	mustVerify(t, s.Root(), s, host, time.Now())
	c, _ := s.Server(t.Context(), host)
	if cn := c.Leaf.Subject.CommonName; cn != "" {
		t.Errorf("a CN of %d characters; 64 are allowed", len(cn))
	}
}

func TestHostsThatNoCertificateNames(t *testing.T) {
	f := madeStore(t)
	s, before := open(t, f.dir), files(t, f.dir)
	for _, host := range []string{"", "localhost:8883", "a b", "..", "../../etc/passwd", "hub/rig", "höb.lan", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a", "a\nb"} {
		if _, err := s.Server(t.Context(), host); record.ClassOf(err) != record.Usage {
			t.Errorf("%q: error %v", host, err)
		}
	}
	if after := files(t, f.dir); len(after) != len(before) {
		t.Errorf("%d files, %d before: something was written", len(after), len(before))
	}
}

func TestRootSigns(t *testing.T) {
	s := open(t, madeStore(t).dir)
	c, err := s.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	chain := parsed(t, c)
	second, err := s.SecondRoot()
	if err != nil {
		t.Fatal(err)
	}
	var unknown x509.UnknownAuthorityError
	if err := certs.RootSigns(second.Certificate, chain); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "localhost") || !strings.Contains(err.Error(), "second root") {
		t.Errorf("another root: %v", err)
	}
	if err := certs.RootSigns(s.Root().Certificate, chain[:1]); !errors.As(err, &unknown) {
		t.Errorf("without its intermediate: %v", err)
	}
	if err := certs.RootSigns(s.Root().Certificate, nil); err == nil {
		t.Error("no chain: no error")
	}
}

func TestDescribeCertificate(t *testing.T) {
	s := open(t, madeStore(t).dir)
	c, err := s.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	p := certs.ThumbprintsOf(c.Leaf)
	described := certs.DescribeCertificate(c.Leaf)
	for _, want := range []certs.Described{
		{Name: "subject", Value: "CN=localhost"}, {Name: "key", Value: "RSA 2048"}, {Name: "signature", Value: "SHA256-RSA"},
		{Name: "valid from", Value: "2016-06-01T00:00:00Z"}, {Name: "names", Value: "localhost"}, {Name: "purposes", Value: "server"},
		{Name: "authority", Value: "no"}, {Name: "SHA-1 thumbprint", Value: p.SHA1}, {Name: "SHA-256 thumbprint", Value: p.SHA256},
	} {
		if !slices.Contains(described, want) {
			t.Errorf("%v is not among %v", want, described)
		}
	}
}

// A certificate from anywhere must not drive the terminal it is shown on.
func TestDescribedIsPrintable(t *testing.T) {
	id := newIdentity(t, certs.IdentitySpec{DeviceID: "a\x1b[2J\r\nb\u202eé"})
	got := certs.DescribeCertificate(id.Certificate)[0].Value
	if got != `CN=a\x1b[2J\r\nb\u202eé` {
		t.Errorf("subject %q", got)
	}
}

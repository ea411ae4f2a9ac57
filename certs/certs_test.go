package certs_test

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/record"
)

func openssl(t *testing.T, stdin []byte, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("peer not installed: openssl")
	}
	cmd := exec.Command("openssl", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func newIdentity(t *testing.T, spec certs.IdentitySpec) *certs.Identity {
	t.Helper()
	id, err := certs.NewIdentity(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What the guide's section 2 makes by hand, openssl must read out of ours.
func TestOpenSSLReadsOurIdentity(t *testing.T) {
	for _, form := range []certs.KeyForm{certs.PKCS8, certs.PKCS1} {
		id := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice", KeyForm: form})
		r, err := certs.CompareWithOpenSSL(t.Context(), id.CertificatePEM, id.KeyPEM)
		if err != nil {
			t.Fatal(err)
		}
		if openssl(t, nil, "version"); !r.Available || len(r.Fields) < 10 {
			t.Fatalf("report: %+v", r)
		}
		for _, f := range r.Fields {
			if !f.Equal {
				t.Errorf("%s %s: ours %q, openssl's %q", form, f.Name, f.Ours, f.OpenSSLs)
			}
		}
		if got := openssl(t, id.KeyPEM, "rsa", "-check", "-noout"); !strings.Contains(got, "RSA key ok") {
			t.Errorf("%s: openssl rsa -check: %s", form, got)
		}
		if !bytes.Contains(id.KeyPEM, []byte("-----BEGIN "+string(form)+"-----")) {
			t.Errorf("key is not %s", form)
		}
	}
}

// What openssl makes by the guide's commands, we must read.
func TestWeReadOpenSSLsIdentity(t *testing.T) {
	dir := t.TempDir()
	key, crt, pemF := filepath.Join(dir, "device.key"), filepath.Join(dir, "device.crt"), filepath.Join(dir, "device.pem")
	openssl(t, nil, "req", "-x509", "-nodes", "-sha256", "-days", "365", "-newkey", "rsa:2048", "-keyout", key, "-out", crt, "-subj", "/CN=NewDevice")
	openssl(t, nil, "x509", "-in", crt, "-out", pemF, "-outform", "PEM")
	pkcs1 := filepath.Join(dir, "pkcs1.key")
	openssl(t, nil, "rsa", "-in", key, "-traditional", "-out", pkcs1)
	for _, k := range []string{key, pkcs1} {
		f, err := certs.CheckFiles(crt, pemF, k) // self-signed: its own root
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(k), err)
		}
		want := strings.ReplaceAll(strings.SplitN(openssl(t, nil, "x509", "-in", crt, "-noout", "-fingerprint", "-sha1"), "=", 2)[1], ":", "")
		if got := certs.ThumbprintsOf(f.Identity.Certificate).SHA1; got != want {
			t.Errorf("thumbprint %s, openssl's %s", got, want)
		}
	}
}

func TestIdentityHasTheGuidesValues(t *testing.T) {
	id := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice"})
	c := id.Certificate
	if certs.KeyBits(c) != 2048 || c.SignatureAlgorithm != x509.SHA256WithRSA || c.NotAfter.Sub(c.NotBefore) != 365*24*time.Hour ||
		c.Subject.CommonName != "NewDevice" || c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil {
		t.Errorf("certificate: %+v", certs.DescribeCertificate(c))
	}
	long := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice", Bits: 4096, LongSubject: true})
	if len(long.CertificatePEM) < 3000 {
		t.Errorf("a long certificate has %d bytes", len(long.CertificatePEM))
	}
}

func TestWriteNeverOverwrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	id := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice"})
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "device.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("device.key: %v %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "device.key"))
	if err := id.Write(dir); !errors.Is(err, fs.ErrExist) || record.ClassOf(err) != record.Usage {
		t.Errorf("second write: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "device.key")); !bytes.Equal(before, after) {
		t.Error("overwritten")
	}
}

// How bad input ends: one line that names the file and what is wrong.
func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, other := newIdentity(t, certs.IdentitySpec{DeviceID: "a"}), newIdentity(t, certs.IdentitySpec{DeviceID: "b"})
	old := newIdentity(t, certs.IdentitySpec{DeviceID: "a", NotBefore: time.Now().AddDate(-2, 0, 0)})
	store, err := certs.OpenStore(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	root, crt, key := put("root.pem", store.Root().PEM), put("a.crt", a.CertificatePEM), put("a.key", a.KeyPEM)
	leaf := put("leaf.pem", pemOf(server.Certificate[0]))
	for name, c := range map[string]struct {
		root, crt, key string
		is             error
		says           []string
	}{
		"all well":               {root, crt, key, nil, nil},
		"no such file":           {filepath.Join(dir, "none"), crt, key, fs.ErrNotExist, []string{"root", "none"}},
		"a folder":               {dir, crt, key, nil, []string{"folder"}},
		"garbage":                {put("garbage", []byte("hello")), crt, key, certs.ErrNotPEM, []string{"garbage"}},
		"key for certificate":    {root, key, key, certs.ErrKeyForCertificate, []string{"a.key", "swapped"}},
		"certificate for key":    {root, crt, crt, certs.ErrCertificateForKey, []string{"a.crt", "swapped"}},
		"key of another":         {root, crt, put("b.key", other.KeyPEM), certs.ErrPairMismatch, []string{"a.crt", "b.key"}},
		"root that is no CA":     {leaf, crt, key, nil, []string{"no certificate authority"}},
		"expired certificate":    {root, put("old.crt", old.CertificatePEM), put("old.key", old.KeyPEM), nil, []string{"expired on"}},
		"two blocks":             {root, put("two", append(bytes.Clone(a.CertificatePEM), other.CertificatePEM...)), key, certs.ErrSeveralBlocks, nil},
		"an asterisk around PEM": {root, put("star", append([]byte("* comment\n"), a.CertificatePEM...)), key, nil, []string{"`*` at byte 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := certs.CheckFiles(c.root, c.crt, c.key)
			if len(c.says) == 0 && c.is == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || record.ClassOf(err) != record.Usage || c.is != nil && !errors.Is(err, c.is) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v", err)
			}
			for _, w := range c.says {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v does not say %q", err, w)
				}
			}
		})
	}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestStoreIsOnePerRigAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	var wg sync.WaitGroup
	roots := make([][]byte, 4)
	for i := range roots {
		wg.Go(func() {
			s, err := certs.OpenStore(dir)
			if err != nil {
				t.Error(err)
				return
			}
			roots[i] = s.Root().PEM
		})
	}
	wg.Wait()
	for _, r := range roots {
		if !bytes.Equal(r, roots[0]) {
			t.Fatal("two at once got different roots")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v", info.Mode())
	}
	start := time.Now()
	s, err := certs.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("opening a made store: %s", time.Since(start))
	a, _ := s.Server(t.Context(), "localhost")
	b, _ := s.Server(t.Context(), "localhost")
	if !bytes.Equal(a.Certificate[0], b.Certificate[0]) {
		t.Error("the server certificate is not kept")
	}
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.OpenStore(dir); record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged root: %v", err)
	}
}

func TestServerRenewsBeforeItRunsOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	s, err := certs.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := s.Server(t.Context(), "hub.rig.lan")
	later, err := certs.OpenStoreAt(dir, func() time.Time { return time.Now().AddDate(11, 1, 20) })
	if err != nil {
		t.Fatal(err)
	}
	second, err := later.Server(t.Context(), "hub.rig.lan")
	if err != nil || bytes.Equal(first.Certificate[0], second.Certificate[0]) {
		t.Errorf("not renewed (%v)", err)
	}
	if !s.Root().Certificate.PublicKey.(*rsa.PublicKey).Equal(later.Root().Certificate.PublicKey) {
		t.Error("the renewed root has another key: devices would have to be provisioned again at once")
	}
}

// Each profile is wrong in exactly one way, as Go's verifier says.
func TestWrongServersAreWrongInOneWay(t *testing.T) {
	s, err := certs.OpenStore(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.SecondRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range certs.Profiles() {
		t.Run(string(p.Profile), func(t *testing.T) {
			c, err := s.WrongServer(t.Context(), "localhost", p.Profile)
			if err != nil {
				t.Fatal(err)
			}
			root := s.Root().Certificate
			if p.Profile == certs.SecondRoot {
				root = second.Certificate
			}
			err = handshake(t, c, root)
			var unknown x509.UnknownAuthorityError
			var invalid x509.CertificateInvalidError
			var name x509.HostnameError
			switch p.Profile {
			case certs.UnknownRoot, certs.SelfSigned:
				if !errors.As(err, &unknown) {
					t.Errorf("error %v", err)
				}
			case certs.WrongName:
				if !errors.As(err, &name) {
					t.Errorf("error %v", err)
				}
			case certs.Expired, certs.NotYetValid:
				if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
					t.Errorf("error %v", err)
				}
			case certs.NoServerAuth:
				if !errors.As(err, &invalid) || invalid.Reason != x509.IncompatibleUsage {
					t.Errorf("error %v", err)
				}
			case certs.NotACA:
				if !errors.As(err, &unknown) && (!errors.As(err, &invalid) || invalid.Reason != x509.NotAuthorizedToSign) {
					t.Errorf("error %v", err)
				}
			default:
				if err != nil {
					t.Errorf("a device must take it: %v", err)
				}
			}
			if size := chainSize(c); p.Profile == certs.LargeChain && size < 8192 || p.Profile == certs.LargeChain20 && size < 4400 {
				t.Errorf("chain of %d bytes", size)
			}
		})
	}
}

func chainSize(c tls.Certificate) (n int) {
	for _, der := range c.Certificate {
		n += len(der)
	}
	return n
}

func handshake(t *testing.T, c tls.Certificate, root *x509.Certificate) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	pool := x509.NewCertPool()
	pool.AddCert(root)
	go func() {
		_ = tls.Server(b, &tls.Config{Certificates: []tls.Certificate{c}}).Handshake()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return tls.Client(a, &tls.Config{RootCAs: pool, ServerName: "localhost", MaxVersion: tls.VersionTLS12}).HandshakeContext(ctx)
}

func TestCheckPEM(t *testing.T) {
	id := newIdentity(t, certs.IdentitySpec{DeviceID: "a"})
	for name, c := range map[string]struct {
		kind certs.Kind
		data []byte
		max  int
		says string
	}{
		"clean":            {certs.KindCertificate, id.CertificatePEM, 0, ""},
		"clean key":        {certs.KindKey, id.KeyPEM, 4096, ""},
		"carriage returns": {certs.KindCertificate, bytes.ReplaceAll(id.CertificatePEM, []byte("\n"), []byte("\r\n")), 0, "carriage return"},
		"no final newline": {certs.KindCertificate, bytes.TrimSpace(id.CertificatePEM), 0, "no newline"},
		"text around":      {certs.KindCertificate, append([]byte("subject\n"), id.CertificatePEM...), 0, "outside"},
		"wrong kind":       {certs.KindKey, id.CertificatePEM, 0, "in the private key's place"},
		"too large":        {certs.KindCertificate, id.CertificatePEM, 100, "max_file"},
		"nothing":          {certs.KindCertificate, nil, 0, "not PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []string
			for _, f := range certs.CheckPEM(c.kind, c.data, c.max) {
				all = append(all, f.Text)
			}
			got := strings.Join(all, "; ")
			if c.says == "" && got != "" || !strings.Contains(got, c.says) {
				t.Errorf("findings %q, expected %q", got, c.says)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = certs.ParseCertificate(data)
		_, _ = certs.ParseKey(data)
		_, _ = certs.ParseIdentity(data, data)
		certs.CheckPEM(certs.KindKey, data, 10)
	})
}

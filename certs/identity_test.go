package certs_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/record"
)

// The guide's section 2: RSA 2048, SHA-256, 365 days, self-signed.
func TestIdentityHasTheGuidesValues(t *testing.T) {
	before := time.Now()
	c := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice"}).Certificate
	if bits := certs.KeyBits(c); bits != 2048 {
		t.Errorf("%d bits", bits)
	}
	if c.SignatureAlgorithm != x509.SHA256WithRSA {
		t.Errorf("signed with %s", c.SignatureAlgorithm)
	}
	if d := c.NotAfter.Sub(c.NotBefore); d != 365*24*time.Hour {
		t.Errorf("valid for %s", d)
	}
	if early := before.Sub(c.NotBefore); early < 4*time.Minute || early > 6*time.Minute {
		t.Errorf("valid since %s before it was made: a clock that is a little late must do, and no more", early)
	}
	if c.Subject.String() != "CN=NewDevice" || c.Issuer.String() != "CN=NewDevice" {
		t.Errorf("subject %s, issuer %s", c.Subject, c.Issuer)
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		t.Errorf("not signed by itself: %v", err)
	}
	if first := c.SerialNumber.Bytes()[0]; c.SerialNumber.Sign() <= 0 || first > 0x7f || len(c.SerialNumber.Bytes()) != 16 {
		t.Errorf("serial %X: some devices rebuild a certificate and get a leading zero wrong", c.SerialNumber)
	}
}

// For provisioning/long-certificate: 3 kB and more, and not much more, so that
// a device with a buffer of 4 kB is judged fairly.
func TestLongCertificate(t *testing.T) {
	id := newIdentity(t, certs.IdentitySpec{DeviceID: "NewDevice", Bits: 4096, LongSubject: true})
	if n := len(id.CertificatePEM); n < 3072 || n > 4000 {
		t.Errorf("%d bytes", n)
	}
	if certs.KeyBits(id.Certificate) != 4096 || id.DeviceID != "NewDevice" {
		t.Errorf("%d bits, device id %q", certs.KeyBits(id.Certificate), id.DeviceID)
	}
	if f := certs.CheckPEM(certs.KindCertificate, id.CertificatePEM, 0); len(f) > 0 {
		t.Errorf("findings %v", f)
	}
}

func TestIdentitySpecIsChecked(t *testing.T) {
	for name, spec := range map[string]certs.IdentitySpec{
		"no device id":   {},
		"weak key":       {DeviceID: "d", Bits: 1024},
		"huge key":       {DeviceID: "d", Bits: 16384},
		"negative days":  {DeviceID: "d", Days: -1},
		"unknown form":   {DeviceID: "d", KeyForm: "DSA PRIVATE KEY"},
		"too many years": {DeviceID: "d", Days: 36501},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := certs.NewIdentity(t.Context(), spec); record.ClassOf(err) != record.Usage {
				t.Errorf("error %v of class %q", err, record.ClassOf(err))
			}
		})
	}
}

// A key of 8192 bits takes minutes; who gives up does not wait for it.
func TestNewIdentityGivesUpWithItsContext(t *testing.T) {
	gaveUp := errors.New("gave up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gaveUp)
	if _, err := certs.NewIdentity(ctx, certs.IdentitySpec{DeviceID: "d", Bits: 8192}); !errors.Is(err, gaveUp) {
		t.Errorf("error %v", err)
	}
}

func TestParseIdentityIsStrict(t *testing.T) {
	a, b := shared(t, sharedIdentity), shared(t, sharedPKCS1)
	two := append(bytes.Clone(a.CertificatePEM), b.CertificatePEM...)
	broken := append(bytes.Clone(a.CertificatePEM), "-----BEGIN CERTIFICATE-----\n!\n"...)
	for name, c := range map[string]struct {
		cert, key []byte
		want      error
	}{
		"fits":                 {a.CertificatePEM, a.KeyPEM, nil},
		"fits, PKCS#1":         {b.CertificatePEM, b.KeyPEM, nil},
		"another's key":        {a.CertificatePEM, b.KeyPEM, certs.ErrPairMismatch},
		"two certificates":     {two, a.KeyPEM, certs.ErrSeveralBlocks},
		"second one is broken": {broken, a.KeyPEM, certs.ErrSeveralBlocks},
		"two keys":             {a.CertificatePEM, append(bytes.Clone(a.KeyPEM), a.KeyPEM...), certs.ErrSeveralBlocks},
		"both in one file":     {append(bytes.Clone(a.CertificatePEM), a.KeyPEM...), a.KeyPEM, certs.ErrSeveralBlocks},
		"swapped":              {a.KeyPEM, a.CertificatePEM, certs.ErrKeyForCertificate},
		"certificate as key":   {a.CertificatePEM, a.CertificatePEM, certs.ErrCertificateForKey},
		"cut short":            {a.CertificatePEM[:500], a.KeyPEM, certs.ErrDamagedPEM},
		"key cut short":        {a.CertificatePEM, a.KeyPEM[:500], certs.ErrDamagedPEM},
		"encrypted key":        {a.CertificatePEM, pemOf("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), certs.ErrEncryptedKey},
		"nothing":              {nil, a.KeyPEM, certs.ErrNotPEM},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := certs.ParseIdentity(c.cert, c.key)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, expected %v", err, c.want)
			}
			if err == nil && !bytes.Equal(id.KeyPEM, c.key) {
				t.Error("the key is not passed through as it was")
			}
		})
	}
}

func TestWriteMakesTheGuidesFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "new")
	id := shared(t, sharedIdentity)
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		data []byte
		mode fs.FileMode
	}{"device.crt": {id.CertificatePEM, 0o644}, "device.pem": {id.CertificatePEM, 0o644}, "device.key": {id.KeyPEM, 0o600}}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("%d entries (%v): something is left over", len(entries), err)
	}
	for name, w := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(filepath.Join(dir, name))
		if !bytes.Equal(data, w.data) || info.Mode().Perm() != w.mode {
			t.Errorf("%s: mode %v, %d bytes", name, info.Mode(), len(data))
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v", info.Mode())
	}
}

// One file in the way, whichever: nothing is overwritten, nothing is added.
func TestWriteNeverOverwrites(t *testing.T) {
	for _, inTheWay := range []string{"device.crt", "device.pem", "device.key"} {
		t.Run(inTheWay, func(t *testing.T) {
			f := newFolder(t)
			f.put(inTheWay, []byte("mine"))
			err := shared(t, sharedIdentity).Write(f.dir)
			if !errors.Is(err, fs.ErrExist) || record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), inTheWay) {
				t.Errorf("error %v", err)
			}
			entries, _ := os.ReadDir(f.dir)
			if len(entries) != 1 || string(f.read(inTheWay)) != "mine" {
				t.Errorf("%d entries, %q", len(entries), f.read(inTheWay))
			}
		})
	}
}

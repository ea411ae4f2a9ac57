package certs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/peers"
	"hilrig/record"
)

// compare fails the test for every field that openssl reads otherwise.
func compare(t *testing.T, certPEM, keyPEM []byte) {
	t.Helper()
	r, err := certs.CompareWithOpenSSL(t.Context(), certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Available || len(r.Fields) != 14 {
		t.Fatalf("report %+v", r)
	}
	for _, f := range r.Fields {
		if !f.Equal {
			t.Errorf("%s: ours %q, %s says %q", f.Name, f.Ours, r.Version, f.OpenSSLs)
		}
		if f.Ours == "" {
			t.Errorf("%s is empty: nothing is compared", f.Name)
		}
	}
}

// What we make, openssl reads and agrees on, field by field.
func TestOpenSSLReadsOurs(t *testing.T) {
	peers.Find(t, "openssl")
	for name, spec := range map[string]certs.IdentitySpec{
		"as the guide":      {DeviceID: "NewDevice"},
		"PKCS#1":            {DeviceID: "NewDevice", KeyForm: certs.PKCS1},
		"4096, long":        {DeviceID: "NewDevice", Bits: 4096, LongSubject: true},
		"ten years":         {DeviceID: "NewDevice", Days: 3650},
		"beyond 2050":       {DeviceID: "NewDevice", Days: 36500},
		"an id of oddities": {DeviceID: `a-.%_*?!(),:=@$'+"é` + "\t"},
		"an id of 128":      {DeviceID: strings.Repeat("long-id-", 16)},
	} {
		t.Run(name, func(t *testing.T) {
			id := newIdentity(t, spec)
			compare(t, id.CertificatePEM, id.KeyPEM)
			if got := openssl(t, id.KeyPEM, "rsa", "-check", "-noout"); !strings.Contains(got, "RSA key ok") {
				t.Errorf("openssl rsa -check: %s", got)
			}
			if words := "-----BEGIN " + string(spec.KeyForm); spec.KeyForm != "" && !bytes.HasPrefix(id.KeyPEM, []byte(words)) {
				t.Errorf("key is not %s", spec.KeyForm)
			}
			f := newFolder(t)
			crt := f.put("device.crt", id.CertificatePEM)
			openssl(t, nil, "verify", "-check_ss_sig", "-x509_strict", "-CAfile", crt, crt)
		})
	}
}

// madeByOpenSSL follows the guide's section 2 to the letter, answering the
// questions that openssl asks.
func madeByOpenSSL(t *testing.T) folder {
	f := newFolder(t)
	answers := "GR\nThessaloniki\n\nInfinite Informatics Ltd\n\nNewDevice\n\n"
	openssl(t, []byte(answers), "req", "-x509", "-nodes", "-sha256", "-days", "365", "-newkey", "rsa:2048", "-keyout", f.path("device.key"), "-out", f.path("device.crt"))
	openssl(t, nil, "x509", "-in", f.path("device.crt"), "-out", f.path("device.pem"), "-outform", "PEM")
	openssl(t, nil, "rsa", "-in", f.path("device.key"), "-traditional", "-out", f.path("pkcs1.key"))
	return f
}

// What openssl makes by the guide's commands, we read, agree on, and find
// nothing to complain about, but that it stands for its own root here.
func TestWeReadOpenSSLs(t *testing.T) {
	f := madeByOpenSSL(t)
	for _, key := range []string{"device.key", "pkcs1.key"} {
		for _, crt := range []string{"device.crt", "device.pem"} {
			t.Run(crt+" with "+key, func(t *testing.T) {
				files, err := certs.CheckFiles(f.path("device.crt"), f.path(crt), f.path(key)) // self-signed: its own root
				if err != nil {
					t.Fatal(err)
				}
				if len(files.Warnings) != 1 || !strings.Contains(files.Warnings[0], "the same certificate as") {
					t.Errorf("warnings %q", files.Warnings)
				}
				if files.Identity.DeviceID != "NewDevice" {
					t.Errorf("device id %q", files.Identity.DeviceID)
				}
				compare(t, f.read(crt), f.read(key))
				for _, finding := range append(certs.CheckPEM(certs.KindCertificate, f.read(crt), 0), certs.CheckPEM(certs.KindKey, f.read(key), 0)...) {
					t.Errorf("finding %+v", finding)
				}
			})
		}
	}
}

// Ours has the fields that the guide's command gives one, and no others.
func TestOursIsWhatTheGuidesCommandMakes(t *testing.T) {
	f := madeByOpenSSL(t)
	theirs, err := certs.ParseCertificate(f.read("device.crt"))
	if err != nil {
		t.Fatal(err)
	}
	ours := shared(t, sharedIdentity).Certificate
	if ours.Version != theirs.Version || ours.SignatureAlgorithm != theirs.SignatureAlgorithm || certs.KeyBits(ours) != certs.KeyBits(theirs) ||
		ours.NotAfter.Sub(ours.NotBefore) != theirs.NotAfter.Sub(theirs.NotBefore) || ours.IsCA != theirs.IsCA {
		t.Errorf("ours %v\ntheirs %v", certs.DescribeCertificate(ours), certs.DescribeCertificate(theirs))
	}
	want := map[string]bool{}
	for _, e := range theirs.Extensions {
		want[e.Id.String()] = e.Critical
	}
	for _, e := range ours.Extensions {
		critical, there := want[e.Id.String()]
		if !there || critical != e.Critical {
			t.Errorf("extension %s, critical %v: openssl gives %v", e.Id, e.Critical, want)
		}
		delete(want, e.Id.String())
	}
	if len(want) > 0 {
		t.Errorf("extensions %v are missing", want)
	}
}

// putOpenSSL puts a program of that name before all others.
func putOpenSSL(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "openssl"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// The comparison can go red: an openssl that reads one field otherwise.
func TestCompareSeesADifference(t *testing.T) {
	real := peers.Find(t, "openssl")
	id := shared(t, sharedIdentity)
	for field, edit := range map[string]string{
		"SHA-1 thumbprint":    `s/^sha1 Fingerprint=../sha1 Fingerprint=XX/`,
		"SHA-256 thumbprint":  `s/stdin)= ../stdin)= XX/`,
		"subject":             `/^subject=/,/NewDevice/s/NewDevice/OldDevice/`,
		"issuer":              `/^issuer=/,/NewDevice/s/NewDevice/OldDevice/`,
		"valid to":            `s/^notAfter=.../notAfter=XXX/`,
		"key size":            `s/(2048 bit)/(1024 bit)/`,
		"signature algorithm": `s/sha256With/sha1With/`,
		"extensions":          `s/HEX DUMP\]:30030101FF/HEX DUMP]:30030101EE/`,
		"serial":              `s/^serial=../serial=XX/`,
	} {
		t.Run(field, func(t *testing.T) {
			putOpenSSL(t, `"`+real+`" "$@" | sed '`+edit+`'`)
			r, err := certs.CompareWithOpenSSL(t.Context(), id.CertificatePEM, id.KeyPEM)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(r.Version, "SSL ") {
				t.Errorf("it does not say which openssl: %q", r.Version)
			}
			for _, f := range r.Fields {
				if f.Equal == (f.Name == field) {
					t.Errorf("%s: equal %v, ours %q, theirs %q", f.Name, f.Equal, f.Ours, f.OpenSSLs)
				}
			}
		})
	}
}

func TestCompareWithoutOpenSSL(t *testing.T) {
	id := shared(t, sharedIdentity)
	t.Setenv("PATH", t.TempDir())
	if r, err := certs.CompareWithOpenSSL(t.Context(), id.CertificatePEM, id.KeyPEM); err != nil || r.Available {
		t.Errorf("report %+v, error %v", r, err)
	}
}

func TestCompareIsBounded(t *testing.T) {
	id := shared(t, sharedIdentity)
	putOpenSSL(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := certs.CompareWithOpenSSL(ctx, id.CertificatePEM, id.KeyPEM)
	if err != nil && strings.HasSuffix(strings.TrimSpace(err.Error()), ":") {
		t.Errorf("an error that ends in nothing: %q", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
}

// An openssl that is broken is the host's fault, and the key it was given is
// not in what is said about it.
func TestCompareWithABrokenOpenSSL(t *testing.T) {
	id := shared(t, sharedIdentity)
	putOpenSSL(t, "echo no config >&2; echo second line >&2; exit 3")
	_, err := certs.CompareWithOpenSSL(t.Context(), id.CertificatePEM, id.KeyPEM)
	if record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), "no config") || strings.Contains(err.Error(), "second line") {
		t.Errorf("error %v", err)
	}
	if holdsKeyText(err.Error(), id.KeyPEM) {
		t.Error("the error holds key text")
	}
}

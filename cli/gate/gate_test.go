package gate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/reports/gate"
	"hilrig/suites"
)

// The policies that come along are read by the catalogue of this binary.
func TestThePoliciesThatComeAlongAreSound(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "policies", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	a := verbs{&verb.App{Catalogue: suites.All()}}
	for _, name := range files {
		if _, err := a.readPolicy(name); err != nil {
			t.Error(err)
		}
	}
}

// A statement about a hundred boards that fail is long, and verified all the
// same; what is longer than any is refused, and not cut short.
func TestALongStatementIsVerified(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err1 := x509.MarshalPKCS8PrivateKey(private)
	open, err2 := x509.MarshalPKIXPublicKey(public)
	signer, err3 := dsse.KeySigner("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	v := &gate.Verdict{Verdict: gate.Pass, Firmware: gate.Judged{Wanted: gate.Wanted{SHA256: strings.Repeat("a", 64)}}, Warnings: []string{strings.Repeat("w", 4<<20)}}
	s, err := gate.NewStatement(v, "fw.bin")
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	statement, key := filepath.Join(dir, "fw.dsse"), filepath.Join(dir, "key.pub")
	if err := errors.Join(os.WriteFile(statement, text, 0o600), os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o600)); err != nil {
		t.Fatal(err)
	}
	a := verbs{&verb.App{Out: io.Discard}}
	if err := a.verify(statement, key, ""); err != nil {
		t.Error(err)
	}
	if _, err := named.Text("policy", statement); record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%v", err)
	}
}

package certs_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/peers"
)

// tryOpenSSL runs the peer and returns what it printed on both streams.
func tryOpenSSL(t testing.TB, stdin []byte, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, peers.Find(t, "openssl"), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func openssl(t testing.TB, stdin []byte, args ...string) string {
	t.Helper()
	out, err := tryOpenSSL(t, stdin, args...)
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
	return out
}

func newIdentity(t testing.TB, spec certs.IdentitySpec) *certs.Identity {
	t.Helper()
	id, err := certs.NewIdentity(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Keys cost a tenth of a second each, so tests share what they do not change.
var (
	sharedIdentity = sync.OnceValues(func() (*certs.Identity, error) {
		return certs.NewIdentity(context.Background(), certs.IdentitySpec{DeviceID: "NewDevice"})
	})
	sharedPKCS1 = sync.OnceValues(func() (*certs.Identity, error) {
		return certs.NewIdentity(context.Background(), certs.IdentitySpec{DeviceID: "Other", KeyForm: certs.PKCS1})
	})
)

func shared(t testing.TB, get func() (*certs.Identity, error)) *certs.Identity {
	t.Helper()
	id, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// folder puts files into a folder of the test's own.
type folder struct {
	t   testing.TB
	dir string
}

func newFolder(t testing.TB) folder { return folder{t, t.TempDir()} }

func (f folder) put(name string, data []byte) string {
	f.t.Helper()
	path := f.path(name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) read(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func pemOf(words string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: words, Bytes: der})
}

// holdsKeyText reports whether a text repeats a piece of a key file's body.
func holdsKeyText(text string, keyPEM []byte) bool {
	var body strings.Builder
	for line := range strings.Lines(string(keyPEM)) {
		if !strings.HasPrefix(line, "-----") {
			body.WriteString(strings.TrimSpace(line))
		}
	}
	const piece = 12 // characters of base64: 9 bytes
	for i := 0; i+piece <= body.Len(); i++ {
		if strings.Contains(text, body.String()[i:i+piece]) {
			return true
		}
	}
	return false
}

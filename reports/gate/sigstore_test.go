package gate

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/peers"
	"hilrig/record/dsse"
)

// Sigstore's own reader of DSSE takes a statement for what it is, by its key and
// by no other.
func TestSigstoreVerifiesAStatement(t *testing.T) {
	node, modules := peers.Node(t, "testdata/sigstore", "Sigstore's reader of DSSE (npm @sigstore/core)")
	s, err := NewStatement(Judge(*sound(t)), "fw.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := pair(t, keys(t)["ecdsa"])
	dir := t.TempDir()
	put := func(name string, text []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	verify := func(envelope, key string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, node, "testdata/sigstore/verify.js", envelope, key)
		cmd.Env = append(os.Environ(), "NODE_MODULES="+filepath.Join(modules, "node_modules"))
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	want := "https://in-toto.io/Statement/v1 https://in-toto.io/attestation/test-result/v0.1 PASSED " + goodSum
	for name, key := range keys(t) {
		private, public := pair(t, key)
		signer, err := dsse.KeySigner("key.pem", private)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		envelope := put(name+".dsse", text)
		if got, err := verify(envelope, put(name+".pub", public)); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		var exit *exec.ExitError
		if got, err := verify(envelope, put("stranger.pub", stranger)); !errors.As(err, &exit) || got != "not signed by this key" {
			t.Errorf("%s, by another's key: %q, %v", name, got, err)
		}
	}
}

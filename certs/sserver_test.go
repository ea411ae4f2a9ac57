package certs_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/peers"
)

// startSServer runs openssl s_server on a port of its choice with a chain of
// ours; only clients that prove this identity get in.
func startSServer(t *testing.T, f folder, c tls.Certificate, client *certs.Identity) (addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, peers.Find(t, "openssl"), "s_server", "-accept", "127.0.0.1:0", "-tls1_2", //nolint:gosec // a test's own arguments
		"-cert", f.put("s.crt", pemOf("CERTIFICATE", c.Certificate[0])), "-key", f.path("server-localhost.key"),
		"-cert_chain", f.put("s.chain", pemOf("CERTIFICATE", c.Certificate[1])),
		"-CAfile", f.put("client.ca", client.CertificatePEM), "-Verify", "1", "-verify_return_error", "-naccept", "1")
	stdin, err := cmd.StdinPipe() // held open: s_server ends with its input
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close(); cancel(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			return at
		}
	}
	t.Fatal("openssl s_server does not say where it listens")
	return ""
}

//go:build unix

package access_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"hilrig/azure/iothub/access"
	"hilrig/certs"
)

// dialsFor names, in a process of its own, who is dialled with the system's roots.
const dialsFor = "HILRIG_TEST_DIALS"

// What a host needs to read its own roots is not time in which the hub is
// silent: they are there before anybody is dialled.
func TestTheSystemsRootsAreReadBeforeTheHubIsDialled(t *testing.T) {
	if at := os.Getenv(dialsFor); at != "" {
		_, err := access.Network{Endpoint: at}.AMQPS(t.Context(), "hub.azure-devices.net")
		if _, cause := access.ExplainAMQPS("hub.azure-devices.net", err); !errors.Is(cause, access.ErrUntrusted) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Parallel()
	id, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(id.CertificatePEM, id.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	var dialled atomic.Bool
	go func() {
		for {
			c, err := hub.Accept()
			if err != nil {
				return
			}
			dialled.Store(true)
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}}).HandshakeContext(t.Context())
			_ = c.Close()
		}
	}()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := syscall.Mkfifo(roots, 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), dialsFor+"="+hub.Addr().String(), "SSL_CERT_FILE="+roots, "SSL_CERT_DIR="+t.TempDir())
	ended := make(chan error, 1)
	go func() {
		said, err := child.CombinedOutput()
		if err != nil {
			err = errors.New(err.Error() + ": " + string(said))
		}
		ended <- err
	}()
	f, err := os.OpenFile(roots, os.O_WRONLY, 0) // returns once somebody reads
	if err != nil {
		t.Fatal(err)
	}
	if dialled.Load() {
		t.Error("the hub was dialled first")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

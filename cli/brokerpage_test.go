//go:build unix

package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/peers"
	"hilrig/runner"
)

// docs/broker.md followed word for word with mosquitto: its configuration, its
// ACL and its rig file, in a folder and at a port of this test.
func TestThePageOfBrokers(t *testing.T) {
	program := peers.Find(t, "mosquitto")
	text, err := os.ReadFile(filepath.Join("..", "docs", "broker.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strings.TrimPrefix(free.Addr().String(), "127.0.0.1:")
	_ = free.Close() // only to find it
	here := strings.NewReplacer("/etc/mosquitto", dir, "8883", port, "broker.lab", "localhost", "systemctl restart mosquitto", "sh restart", "{path: /dev/ttyUSB0}", "{emulated: {}}")
	block := func(kind string) string {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(text)
		if m == nil {
			t.Fatalf("docs/broker.md has no block of kind %s", kind)
		}
		return here.Replace(string(m[1]))
	}
	put := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, err := certs.OpenStore(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := store.Server(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range server.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	observer, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "observer"})
	if err != nil {
		t.Fatal(err)
	}
	board, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "NewDevice"})
	if err != nil {
		t.Fatal(err)
	}
	put("server.pem", chain)
	put("server.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	put("root.pem", store.Root().PEM)
	put("observer.pem", observer.CertificatePEM)
	put("observer.key", observer.KeyPEM)
	put("clients.pem", observer.CertificatePEM)
	put("acl", []byte(block("acl")))
	put("mosquitto.conf", []byte("user root\nacl_file "+dir+"/acl\n"+block("conf")))
	put("rig.yaml", []byte(block("yaml")))
	put("restart", []byte("p=$(cat pid); kill $p; while kill -0 $p; do sleep 0.01; done 2>/dev/null; true\n"))

	service := exec.Command("sh", "-c", "trap 'kill $!; exit' TERM; while :; do "+program+" -c mosquitto.conf & echo $! >pid; wait $!; done")
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Signal(syscall.SIGTERM) // its trap ends the broker
		_ = service.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if c, err := net.Dial("tcp", "localhost:"+port); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond) // mosquitto says nothing when it listens
	}

	var out, complaint bytes.Buffer
	if code := Main([]string{"broker", "check", "--rig", "rig.yaml"}, nil, &out, &complaint); code != 0 || strings.Contains(out.String(), "warn") {
		t.Errorf("exit code %d\n%s%s", code, &out, &complaint)
	}
	rig, err := rigfile.Load("rig.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, err := runner.BrokerOf(rig.Hub)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := config.Open(ctx, hub.Setup{DeviceID: "NewDevice", StateDir: filepath.Join(dir, "state")})
	if err != nil {
		t.Fatal(err)
	}
	known := func() int {
		text, err := os.ReadFile("clients.pem")
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(text, []byte("BEGIN CERTIFICATE"))
	}
	if err := hub.Of(h).Register(ctx, hub.Device{ID: "NewDevice", Certificates: []*x509.Certificate{board.Certificate}}); err != nil || known() != 2 {
		t.Errorf("%d certificates with the device's: %v", known(), err)
	}
	if err := h.Close(ctx); err != nil || known() != 1 {
		t.Errorf("%d certificates at the end: %v", known(), err)
	}
}

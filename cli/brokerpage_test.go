//go:build unix

package cli

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/fixtures/rigfile"
	"hilrig/peers/brokers"
	"hilrig/runner"
)

// docs/broker.md followed word for word with mosquitto: its configuration, its
// ACL and its rig file, in a folder and at a port of this test.
func TestThePageOfBrokers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "broker.md"))
	if err != nil {
		t.Fatal(err)
	}
	b := brokers.Mosquitto(t, "allow_anonymous true", nil)
	t.Chdir(b.Dir)
	here := strings.NewReplacer("/etc/mosquitto/server.pem", "server.crt", "/etc/mosquitto", b.Dir, "8883", b.Port, "broker.lab", "localhost", "systemctl restart mosquitto", "sh restart", "{path: /dev/ttyUSB0}", "{emulated: {}}")
	block := func(kind string) string {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(text)
		if m == nil {
			t.Fatalf("docs/broker.md has no block of kind %s", kind)
		}
		return here.Replace(string(m[1]))
	}
	observer, board := brokers.Issue(t, "observer", nil), brokers.Issue(t, "NewDevice", nil)
	for name, data := range map[string][]byte{
		"observer.pem": observer.PEM(), "observer.key": observer.KeyPEM(t), "clients.pem": observer.PEM(),
		"acl": []byte(block("acl")), "mosquitto.conf": []byte("user root\nacl_file acl\n" + block("conf")),
		"rig.yaml": []byte(block("yaml")), "restart": []byte(b.Restart()),
	} {
		brokers.Write(t, b.Dir, name, data)
	}
	b.Serve()

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
	h, _, err := config.Open(t.Context(), hub.Setup{DeviceID: "NewDevice", StateDir: filepath.Join(b.Dir, "state")})
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
	if err := hub.Of(h).Register(t.Context(), hub.Device{ID: "NewDevice", Certificates: []*x509.Certificate{board.Cert}}); err != nil || known() != 2 {
		t.Errorf("%d certificates with the device's: %v", known(), err)
	}
	if err := h.Close(t.Context()); err != nil || known() != 1 {
		t.Errorf("%d certificates at the end: %v", known(), err)
	}
}

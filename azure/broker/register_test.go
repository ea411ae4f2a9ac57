//go:build unix

package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/peers/brokers"
	"hilrig/record"
)

// knows is a mosquitto that takes whoever is in its cafile, with the commands
// that put somebody there. It reads the file when it starts, so they restart it:
// a loop of a shell has it back, as a service manager would.
func knows(t *testing.T) (*brokers.Broker, broker.Config) {
	t.Helper()
	me := brokers.Issue(t, "observer", nil)
	m := brokers.Mosquitto(t, "cafile %[1]s/clients.pem\nrequire_certificate true\nuse_identity_as_username true", map[string][]byte{"clients.pem": me.PEM(), "observer.pem": me.PEM(), "observer.key": me.KeyPEM(t)})
	m.Serve()
	c := config(m, broker.Observer{Certificate: me.TLS()})
	changed := []string{"sh", "-c", "cd " + m.Dir + " && cat observer.pem {ca_dir}/all.pem >new.pem && mv new.pem clients.pem; " + m.Restart()}
	c.Register = broker.Commands{Add: changed, Remove: changed}
	return m, c
}

// letsIn reports whether the broker completes a handshake and takes a CONNECT.
func letsIn(t *testing.T, m *brokers.Broker, own *brokers.Issued) bool {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(m.Root.Cert)
	c, err := tls.Dial("tcp", m.Address, &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own.TLS(), nil }})
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func registered(s hub.Setup, dir string) hub.Setup {
	s.StateDir = dir
	return s
}

func device0(certs ...*brokers.Issued) hub.Device {
	d := hub.Device{ID: deviceID}
	for _, c := range certs {
		d.Certificates = append(d.Certificates, c.Cert)
	}
	return d
}

// A device is known once it is registered, and what was added is removed at the
// end.
func TestDevicesAreRegistered(t *testing.T) {
	t.Parallel()
	m, c := knows(t)
	first, second := brokers.Issue(t, deviceID, nil), brokers.Issue(t, deviceID, nil)
	ctx := t.Context()
	h, _, err := c.Open(ctx, registered(setup(), t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	r := hub.Of(h)
	if r.Letters() != hub.OfBroker || r.Registry == nil {
		t.Fatalf("%s, registers: %v", r.Letters(), r.Registry != nil)
	}
	for _, step := range []struct {
		name          string
		device        hub.Device
		first, second bool
	}{
		{"nobody yet", hub.Device{ID: deviceID}, false, false},
		{"one", device0(first), true, false},
		{"two", device0(first, second), true, true},
	} {
		if err := r.Register(ctx, step.device); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for who, want := range map[*brokers.Issued]bool{first: step.first, second: step.second} {
			if got := letsIn(t, m, who); got != want { // settled: the broker is back
				t.Errorf("%s: lets in %v, want %v", step.name, got, want)
			}
		}
		d, known, err := r.Lookup(ctx, deviceID)
		if err != nil || known != (len(step.device.Certificates) > 0) || len(d.Thumbprints) != len(step.device.Certificates) {
			t.Errorf("%s: %+v, known %v, %v", step.name, d, known, err)
		}
	}
	if err := r.Register(ctx, device0(second)); err != nil {
		t.Fatal(err)
	}
	if left := certificates(t, m); left != 2 { // the observer's and the second
		t.Errorf("%d certificates once the first is replaced", left)
	}
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if left := certificates(t, m); left != 1 {
		t.Errorf("%d certificates at the end", left)
	}
}

// certificates are how many the broker is to know, the observer's among them.
func certificates(t *testing.T, m *brokers.Broker) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.Dir, "clients.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("BEGIN CERTIFICATE"))
}

// A process that is killed with a device registered.
func TestHelperThatDies(t *testing.T) {
	if os.Getenv("BROKER_TO_DIE_AT") == "" {
		t.Skip("the test of what a dead run leaves runs this")
	}
	root, errRoot := os.ReadFile(os.Getenv("BROKER_ROOT"))
	own, errOwn := tls.LoadX509KeyPair(os.Getenv("BROKER_OWN"), os.Getenv("BROKER_KEY"))
	if err := errors.Join(errRoot, errOwn); err != nil {
		t.Fatal(err)
	}
	changed := []string{"sh", "-c", os.Getenv("BROKER_CHANGED")}
	c := broker.Config{Address: os.Getenv("BROKER_TO_DIE_AT"), Root: root, Observer: broker.Observer{Certificate: &own}, Register: broker.Commands{Add: changed, Remove: changed}}
	h, _, err := c.Open(t.Context(), registered(setup(), os.Getenv("BROKER_STATE")))
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Of(h).Register(t.Context(), device0(brokers.Issue(t, deviceID, nil))); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // this process
	select {}
}

// What a run that was killed has left at the broker, the next one removes.
func TestTheNextRunRemovesWhatADeadOneLeft(t *testing.T) {
	t.Parallel()
	m, c := knows(t)
	state := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestHelperThatDies$")
	cmd.Env = append(os.Environ(), "BROKER_TO_DIE_AT="+m.Address, "BROKER_STATE="+state, "BROKER_CHANGED="+c.Register.Add[2],
		"BROKER_ROOT="+brokers.Write(t, m.Dir, "root.pem", m.Root.PEM()), "BROKER_OWN="+filepath.Join(m.Dir, "observer.pem"), "BROKER_KEY="+filepath.Join(m.Dir, "observer.key"))
	out, err := cmd.CombinedOutput()
	if err == nil || certificates(t, m) != 2 {
		t.Fatalf("%v, %d certificates: %s", err, certificates(t, m), out)
	}
	m.AwaitPort()
	h, _, err := c.Open(t.Context(), registered(setup(), state))
	if err != nil {
		t.Fatal(err)
	}
	if left := certificates(t, m); left != 1 {
		t.Errorf("%d certificates", left)
	}
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(state, "broker", "*", "journal-*")); err != nil || len(left) > 0 {
		t.Errorf("journals left: %v, %v", left, err)
	}
}

// All that a command has of a device is in its places; ca_dir has what the
// broker is to know.
func TestWhatACommandIsGiven(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	c := config(m, broker.Observer{})
	said := filepath.Join(t.TempDir(), "said")
	c.Register = broker.Commands{
		Add:    []string{"sh", "-c", `echo '{"id": "{device_id}"}' {thumbprint} {hub_host}:{hub_port} ${HOME:+home} $(cat {certificate} {ca_dir}/all.pem | grep -c BEGIN) >>` + said},
		Remove: []string{"sh", "-c", `cat {ca_dir}/all.pem | grep -c BEGIN >>` + said + `; true`},
	}
	own := brokers.Issue(t, deviceID, nil)
	h, _, err := c.Open(t.Context(), registered(setup(), t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Of(h).Register(t.Context(), device0(own)); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(text)); len(got) != 7 || got[0]+got[1] != `{"id":"NewDevice"}` || len(got[2]) != 64 || got[3] != m.Address || got[4] != "home" || got[5] != "2" || got[6] != "0" {
		t.Errorf("%q", text)
	}
}

// A command that fails is the rig's fault, and says what it printed, without
// secrets. It is told each time.
func TestARegisterCommandFails(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	c := config(m, broker.Observer{})
	c.Register = broker.Commands{Add: []string{"sh", "-c", `echo "no: $API_TOKEN"; exit 3`}, Remove: []string{"true"}}
	s := registered(setup(), t.TempDir())
	s.Env = append(os.Environ(), "API_TOKEN=hunter2")
	h := open(t, c, s)
	own := device0(brokers.Issue(t, deviceID, nil))
	for range 2 {
		err := h.Register(t.Context(), own)
		if record.ClassOf(err) != record.RigHub || !strings.Contains(err.Error(), "exit status 3: no: ***") || bytes.Contains([]byte(err.Error()), []byte("hunter2")) {
			t.Fatalf("%s: %v", record.ClassOf(err), err)
		}
	}
}

// Where the identity is the device's own nobody registers another.
func TestAFixedIdentityIsNotRegistered(t *testing.T) {
	t.Parallel()
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	c := config(m, broker.Observer{})
	c.Register = broker.Commands{Add: []string{"false"}, Remove: []string{"false"}}
	s := setup()
	s.Identity = brokers.Issue(t, deviceID, nil).TLS()
	if h := open(t, c, s); h.Registry != nil || h.Letters() != "ADS" {
		t.Errorf("%s, registers: %v", h.Letters(), h.Registry != nil)
	}
}

// A check only looks: it runs no command, and leaves nothing where it was called.
func TestACheckRegistersNobody(t *testing.T) {
	m := brokers.Mosquitto(t, "allow_anonymous true", nil)
	here := t.TempDir()
	t.Chdir(here)
	c := config(m, broker.Observer{})
	c.Register = broker.Commands{Add: []string{"touch", "added"}, Remove: []string{"touch", "removed"}}
	for _, f := range c.Check(t.Context(), []string{topic}) {
		if f.Err != nil {
			t.Error(f.Err)
		}
	}
	if left, err := os.ReadDir(here); err != nil || len(left) > 0 {
		t.Errorf("the check left %v, %v", left, err)
	}
}

package emulator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"hilrig/peers"
	"hilrig/record"
)

// mosquitto starts the real broker with TLS and gives its address and root.
func mosquitto(t *testing.T, id identity) (addr string, ca authority) {
	t.Helper()
	binary := peers.Find(t, "mosquitto")
	ca = newAuthority(t, "the rig's root")
	dir := t.TempDir()
	server := ca.server(t, "localhost", nil)
	write := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = ln.Close()
	config := fmt.Sprintf("listener %s 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nallow_anonymous true\nuser root\ntls_version tlsv1.2\n",
		port, write("clients.pem", id.cert), write("server.pem", pemOf("CERTIFICATE", server.Certificate[0])), write("server.key", serverKeyPEM(t)))
	cmd := exec.Command(binary, "-c", write("mosquitto.conf", config))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, ca
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("mosquitto does not listen")
	return "", ca
}

// A real broker takes the device: its identity, its session, its telemetry, and
// what is sent to it.
func TestAgainstMosquitto(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "NewDevice", rsaKeys()[0])
	addr, ca := mosquitto(t, id)
	dir := t.TempDir()
	for name, data := range map[string]string{"root.pem": ca.pem, "device.pem": id.cert, "device.key": id.key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(addr)
	sub := peers.Find(t, "mosquitto_sub")
	watch := exec.Command(sub, "-h", "localhost", "-p", port, "--cafile", filepath.Join(dir, "root.pem"), "--cert", filepath.Join(dir, "device.pem"),
		"--key", filepath.Join(dir, "device.key"), "-q", "1", "-i", "watcher", "-t", "devices/NewDevice/messages/events/")
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = watch.Process.Kill()
		_ = watch.Wait()
	})
	b := start(t, Config{Hub: "localhost:" + port, DeviceID: "NewDevice", Interval: 50 * time.Millisecond})
	b.provision(ca.pem, id)
	lines := bufio.NewScanner(out)
	for last := int64(0); last < 20 && lines.Scan(); {
		var r reading
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.Device != "NewDevice" {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if last > 0 && r.Seq != last+1 {
			t.Fatalf("number %d after %d", r.Seq, last)
		}
		last = r.Seq
	}
}

// The board loses its power, the USB adapter stays: the parent's master is
// handed down, what was typed meanwhile is gone, and the identity is not.
func TestTerminalOfTheParent(t *testing.T) {
	t.Parallel()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = master.Close(), slave.Close() })
	id := newIdentity(t, "NewDevice", rsaKeys()[0])
	state := filepath.Join(t.TempDir(), "state.json")
	b := attach(t, slave.Name())
	for boot := range 3 {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "emulate", "--terminal-fd", "3", "--lifeline", "--state", state)
		cmd.ExtraFiles = []*os.File{master}
		alive, err := cmd.StdinPipe()
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
		line, err := bufio.NewReader(out).ReadString('\n')
		if want := fmt.Sprintf("{\"event\":\"ready\",\"port\":%q}\n", slave.Name()); line != want {
			t.Fatalf("ready %q %v, want %q", line, err, want)
		}
		b.send("VERSION\r")
		if got := b.expect(Version + "\r\n"); got != "VERSION\r\n"+Version+"\r\n" {
			t.Errorf("boot %d: %q", boot, got)
		}
		if boot == 0 {
			b.provision(id.cert, id)
		} else {
			b.send("CONNECT\r")
			b.expect("CONNECT\r\nOK\r\n") // it has an identity
		}
		if boot == 1 { // the rig ends: the device sees it and goes
			_ = alive.Close()
		} else {
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait()
		b.send("typed while there is no power\r")
	}
}

func TestWhatIsAskedForIsCheckedBeforeADeviceIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tc := range []struct{ args, text string }{
		{"--fault no-verfy", "did you mean no-verify?"},
		{"--profile sluggish", "sluggish: no such profile"},
		{"--interval 0.1ms", "--interval"},
		{"--keep-alive 10ms", "--keep-alive"},
		{"--baud -1", "--baud -1"},
		{"--hub nonsense", "--hub nonsense"},
		{"--link " + dir, "exists"},
		{"--state " + dir, "read state"},
	} {
		var out strings.Builder
		err := emulate(strings.Fields(tc.args), strings.NewReader(""), &out, io.Discard)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), tc.text) || out.String() != "" {
			t.Errorf("%s: %v %q, want a usage error with %q and nothing on standard output", tc.args, err, out.String(), tc.text)
		}
	}
}

func TestTheListsSayWhatStandsForWhat(t *testing.T) {
	t.Parallel()
	for args, text := range map[string]string{"--list-faults": "paho.mqtt.c#420", "--list-profiles": "GPRS"} {
		var out strings.Builder
		if err := emulate([]string{args}, strings.NewReader(""), &out, io.Discard); err != nil || !strings.Contains(out.String(), text) {
			t.Errorf("%s: %v, %q; want %q in it", args, err, out.String(), text)
		}
	}
}

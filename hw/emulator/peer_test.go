package emulator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"hilrig/peers"
	"hilrig/peers/brokers"
	"hilrig/record"
)

// A real broker takes the device: its identity, its session, its telemetry, and
// what is sent to it.
func TestAgainstMosquitto(t *testing.T) {
	t.Parallel()
	id := newIdentity(t, "NewDevice", rsaKeys()[0])
	mosquitto := brokers.Mosquitto(t, "cafile %[1]s/device.pem\nrequire_certificate true\nallow_anonymous true\ntls_version tlsv1.2",
		map[string][]byte{"device.pem": []byte(id.cert), "device.key": []byte(id.key)})
	watch := exec.Command(peers.Find(t, "mosquitto_sub"), "-h", "localhost", "-p", mosquitto.Port, "--cafile", "root.pem", "--cert", "device.pem",
		"--key", "device.key", "-q", "1", "-i", "watcher", "-t", "devices/NewDevice/messages/events/")
	watch.Dir = mosquitto.Dir
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
	b := start(t, Config{Hub: mosquitto.Address, DeviceID: "NewDevice", Interval: 50 * time.Millisecond})
	b.provision(string(mosquitto.Root.PEM()), id)
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

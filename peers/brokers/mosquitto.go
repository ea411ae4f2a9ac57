package brokers

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"hilrig/peers"
)

// Mosquitto starts one with these lines in its configuration; "%[1]s" in them is
// its folder. Files are written there first.
func Mosquitto(t testing.TB, lines string, files map[string][]byte) *Broker {
	t.Helper()
	program := peers.Find(t, "mosquitto")
	b := prepare(t, files)
	Write(t, b.Dir, "mosquitto.conf", fmt.Appendf(nil, "user root\nlistener %[2]s 127.0.0.1\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\npersistence false\n"+lines+"\n", b.Dir, b.Port))
	return b.run(func() *exec.Cmd { return exec.Command(program, "-c", "mosquitto.conf") })
}

// Serve hands a mosquitto to a shell that has it back whenever it ends, as a
// service manager would; the file pid says what to end.
func (b *Broker) Serve() {
	b.t.Helper()
	program := peers.Find(b.t, "mosquitto")
	b.Kill()
	b.command = func() *exec.Cmd {
		return exec.Command("sh", "-c", "trap 'kill $!; exit' TERM; while :; do "+program+" -c mosquitto.conf & echo $! >pid; wait $!; done")
	}
	b.Start()
	service := b.process
	b.t.Cleanup(func() {
		_ = service.Process.Signal(syscall.SIGTERM) // its trap ends the broker
		_ = service.Wait()
	})
}

// Restart is a shell command that ends a broker that is served, and is over once
// that is gone.
func (b *Broker) Restart() string {
	return "cd " + b.Dir + " && p=$(cat pid); kill $p; while kill -0 $p; do sleep 0.01; done 2>/dev/null; true"
}

// Passwords is a password file for one user, as mosquitto_passwd writes it.
func Passwords(t testing.TB, user, password string) []byte {
	t.Helper()
	path := Write(t, t.TempDir(), "passwords", nil)
	if out, err := exec.Command(peers.Find(t, "mosquitto_passwd"), "-b", path, user, password).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

//go:build unix

package cli

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hilrig/peers/brokers"
	"hilrig/record"
)

// The rig file of docs/tap.md with a mosquitto, at addresses of this test, where
// the name leads to the tap from here too: what the tap adds is judged. How long a silence may last is the type's word; without
// it that is not applicable, and the record says why.
func TestThePageOfTaps(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "tap.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/tap.md has no rig file")
	}
	const quick = `user_name: board, password_env: BOARD_PASSWORD}
    commands: {connect: CONNECT}
    console: {recover: {quiet: 50ms}}
    timing: {connect_within: 15s, publish_within: 15s, interval: 500ms, reconnect_within: 15s, abort_within: 2s}`
	unasked := []string{"provisioning/presented", "tls/client-certificate"} // this mosquitto wants a password
	adds := []string{"tls/version", "tls/server-name", "recovery/connection-cut", "recovery/hub-restart"}
	for name, keep := range map[string]string{"the type says its keep-alive": "keep_alive: 2s, ", "nobody says it": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, "board", "swordfish")})
			here := strings.NewReplacer("ssl://broker.lab:8883", "ssl://"+nobodys(t), "192.168.1.20:8883", "127.0.0.1:"+b.Port, "0.0.0.0", "127.0.0.1",
				"keep_alive: 60s}", keep+quick, "{path: /dev/ttyUSB0}", "{emulated: {}}")
			s := rigAt(t, b, here.Replace(string(block[1])), "BOARD_PASSWORD=swordfish")
			brokers.Write(t, s.dir, "secret", []byte("swordfish\n"))
			args := []string{"--spec", "session/ping-unanswered"}
			for _, id := range append(unasked, adds...) {
				args = append(args, "--spec", id)
			}
			r, out := s.run(0, args...)
			all := verdicts(t, r, "board")
			for _, id := range adds {
				if v := all[id]; v.Verdict != record.Pass {
					t.Errorf("%s: %s: %s%s", id, v.Verdict, v.Message, v.Cause)
				}
			}
			for _, id := range unasked {
				if v := all[id]; v.Verdict != record.NotApplicable || v.Cause == "" {
					t.Errorf("%s: %s: %s%s", id, v.Verdict, v.Message, v.Cause)
				}
			}
			switch v := all["session/ping-unanswered"]; {
			case keep != "" && v.Verdict != record.Pass, keep == "" && (v.Verdict != record.NotApplicable || v.Cause == ""):
				t.Errorf("%s: %s: %s%s\n%s", v.ID, v.Verdict, v.Message, v.Cause, out)
			}
			if d := r.Device("board"); !d.Hub.Tap || d.Hub.Kind != "broker" {
				t.Errorf("%+v", d.Hub)
			}
		})
	}
}

// nobodys is an address at which nothing listens.
func nobodys(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("localhost", port)
}

// A tap in front of a broker whose name leads here needs to be told where that
// is; nobody is told to look whether the broker runs.
func TestATapThatWouldReachItselfInARun(t *testing.T) {
	t.Parallel()
	s := rigAt(t, brokers.Mosquitto(t, "allow_anonymous true", nil), "hub: {kind: broker, url: \"ssl://"+nobodys(t)+"\", root: root.pem, tap: true}\n"+
		"devices: [{name: emu-1, device_id: NewDevice, serial: {emulated: {}}}]\n")
	r, _ := s.run(3, "--spec", "tls/version")
	if v := verdicts(t, r, "emu-1")["tls/version"]; v.Class != record.Usage || !strings.Contains(v.Cause, "tap: {to: HOST:PORT}") {
		t.Errorf("%s: %s", v.Class, v.Cause)
	}
}

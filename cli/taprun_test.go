//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hilrig/peers/brokers"
	"hilrig/record"
)

// The rig file of docs/tap.md with a mosquitto, at addresses of this test: what
// the tap adds is judged. How long a silence may last is the type's word; without
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
			here := strings.NewReplacer("ssl://broker.lab:8883", "BROKER", "192.168.1.20:8883", "127.0.0.1:"+b.Port, "0.0.0.0", "127.0.0.2",
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

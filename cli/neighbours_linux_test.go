package cli

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

// Boards that nothing tells apart dial whenever they please, also while another
// has its turn. What one of them does is never the other's: a defect is red on
// the board that has it, and nowhere else.
func TestABoardThatDialsOutOfTurnIsNotTheOtherOne(t *testing.T) {
	t.Parallel()
	judged := []string{"tls/expired", "recovery/server-disconnect"}
	for name, c := range map[string]struct {
		faults map[string][]string
		red    map[string]string
	}{
		"the first takes what the other refuses": {
			faults: map[string][]string{"one": {"no-expiry-check"}, "two": {"constant-retry"}}, red: map[string]string{"one": "tls/expired"},
		},
		"the first refuses what the other takes": {
			faults: map[string][]string{"two": {"no-expiry-check", "constant-retry"}}, red: map[string]string{"two": "tls/expired"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, port, _ := net.SplitHostPort(freeAddress(t)) // the run's, from now on
			rig := "hub: {listen: 127.0.0.1}\ntypes:\n  soon:\n    timing: {connect_within: 40s, publish_within: 15s, interval: 500ms, reconnect_within: 40s, abort_within: 10s}\ndevices:\n"
			for _, board := range []string{"one", "two"} {
				rig += fmt.Sprintf("  - {name: %s, type: soon, device_id: Id-%[1]s, hub_port: %s, serial: {path: %s}}\n", board, port, filepath.Join(dir, board))
				dialsByItself(t, dir, board, port, c.faults[board])
			}
			if err := os.WriteFile(filepath.Join(dir, "rig.yaml"), []byte(rig), 0o600); err != nil {
				t.Fatal(err)
			}
			in(t, dir, "hilrig run --rig rig.yaml --out before --spec provisioning/presented", 0) // from now on both dial
			in(t, dir, "hilrig run --rig rig.yaml --out out --spec "+strings.Join(judged, " --spec "), 1)
			r, err := record.Load(filepath.Join(dir, "out", "latest", record.RecordFile))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range r.Devices {
				for _, s := range d.Specs {
					if red := s.Verdict != record.Pass; red != (s.ID == c.red[d.Name]) || red && s.Verdict != record.Fail {
						t.Errorf("%s with %q: %s: %s %s: %s%s", d.Name, c.faults[d.Name], s.ID, s.Verdict, s.Class, s.Message, s.Cause)
					}
				}
			}
		})
	}
}

// dialsByItself is a board with a life of its own, until the test ends.
func dialsByItself(t *testing.T, dir, board, port string, faults []string, more ...string) {
	t.Helper()
	args := []string{"emulate", "--link", board, "--hub", "localhost:" + port, "--device-id", "Id-" + board}
	args = append(args, more...)
	for _, f := range faults {
		args = append(args, "--fault", f)
	}
	c := exec.CommandContext(t.Context(), "hilrig", args...)
	c.Dir = dir
	said, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	if _, err := said.Read(make([]byte, 1)); err != nil { // it says when it is ready
		t.Fatal(err)
	}
}

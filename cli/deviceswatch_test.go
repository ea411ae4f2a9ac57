package cli

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"hilrig/hw/port"
)

// A board that is plugged in while the shelf is watched, and one that is taken,
// is told of; an interrupt ends it in order.
func TestAShelfIsWatchedUntilAnInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an interrupt cannot be sent there")
	}
	dir := t.TempDir()
	rig := "devices:\n  - {name: b1, device_id: One, hub_port: 28885, serial: {path: board}}\n"
	if err := os.WriteFile(filepath.Join(dir, "shelf.yaml"), []byte(rig), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "hilrig", "devices", "--rig", "shelf.yaml", "--watch")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	until := func(fits string) {
		t.Helper()
		re := regexp.MustCompile(fits)
		for lines.Scan() {
			if re.MatchString(lines.Text()) {
				return
			}
		}
		t.Fatalf("it never said %s", fits)
	}
	board := filepath.Join(dir, "board")
	until(`^b1 .* no: `)
	if err := os.WriteFile(board, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(`^\d\d:\d\d:\d\d  device b1 can be reached: yes$`)
	lease, err := port.Lock(port.LockDir(), board, "somebody")
	if err != nil {
		t.Fatal(err)
	}
	until(`  device b1 can be reached: no: busy: held by process \d+ \(run somebody\), since `)
	if err := lease.Release(); err != nil {
		t.Fatal(err)
	}
	until(`  device b1 can be reached: yes$`)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to its end
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

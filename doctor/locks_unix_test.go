//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
)

// A FIFO in place of a lock file hangs neither check, and both name it.
func TestATrapAmongTheLocksIsNamed(t *testing.T) {
	dir := t.TempDir()
	line := filepath.Join(dir, "ttyX")
	if err := os.WriteFile(line, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	locks := filepath.Join(dir, "locks")
	l, err := port.Lock(locks, line, "mine") // to learn the file's name
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(locks, "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(names[0], 0o666); err != nil {
		t.Fatal(err)
	}
	device := rigfile.Device{Name: "d", Serial: rigfile.Serial{Path: line}}
	if d := ReachOf(device, nil, nil, locks); d.Reachable || !strings.Contains(d.Why, "a FIFO") {
		t.Errorf("reach: %+v", d)
	}
	found := checkLockDir(t.Context(), lab(Host{LockDir: locks}))
	if len(found) != 1 || found[0].State != Bad || !strings.Contains(found[0].What, names[0]) || !strings.Contains(found[0].What, "a FIFO") {
		t.Errorf("lock folder: %+v", found)
	}
}

//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// A FIFO in place of a lock file hangs neither verb, and both name it. What an
// adapter calls itself steers no terminal.
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
	if d := reach(device, nil, nil, locks); d.Reachable || !strings.Contains(d.Why, "a FIFO") {
		t.Errorf("devices: %+v", d)
	}
	found := checkLockDir(t.Context(), &patient{lockDir: locks})
	if len(found) != 1 || found[0].State != stateBad || !strings.Contains(found[0].What, names[0]) || !strings.Contains(found[0].What, "a FIFO") {
		t.Errorf("doctor: %+v", found)
	}
	var out strings.Builder
	list := &listing{Ports: []portLine{{Port: usb.Port{Path: line, Product: "evil\x1b[2J\nadapter"}, Lock: lockTrouble(locks, line).Error()}}}
	if err := list.print(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "\x1b") || strings.Count(s, "\n") != 2 || !strings.Contains(s, "a FIFO") {
		t.Errorf("printed %q", s)
	}
}

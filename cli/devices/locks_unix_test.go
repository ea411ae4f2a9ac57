//go:build unix

package devices

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// A FIFO in place of a lock file is named in the list of ports. What an adapter
// calls itself steers no terminal.
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
	var out strings.Builder
	list := &listing{Ports: []portLine{{Port: usb.Port{Path: line, Product: "evil\x1b[2J\nadapter"}, Lock: port.LockTrouble(locks, line).Error()}}}
	if err := list.print(&out); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "\x1b") || strings.Count(s, "\n") != 2 || !strings.Contains(s, "a FIFO") {
		t.Errorf("printed %q", s)
	}
}

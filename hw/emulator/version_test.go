package emulator

import (
	"path/filepath"
	"testing"
)

// A device that updates itself, or falls back, says another version from some
// boot on, also when its power was cut.
func TestItSaysTheVersionOfItsBoot(t *testing.T) {
	t.Parallel()
	args := []string{"--firmware", "2.4.1", "--firmware", "2.4.0", "--state", filepath.Join(t.TempDir(), "state.json")}
	says := func(b *board, version string) {
		t.Helper()
		b.answers("VERSION", "hilrig-emulator "+version+"\r\n")
	}
	port, off := power(t, args...)
	b := attach(t, port)
	says(b, "2.4.1")
	b.send("REBOOT\r")
	b.expect("REBOOTING\r\n")
	says(b, "2.4.0")
	off()
	port, _ = power(t, args...)
	says(attach(t, port), "2.4.0")
}

//go:build unix

package access_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// A pipe that nobody writes to is refused, and not waited for.
func TestPipeIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := access.FromFile(pipe); record.ClassOf(err) != record.Usage {
		t.Error(err)
	}
}

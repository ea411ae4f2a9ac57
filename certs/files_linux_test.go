package certs_test

import (
	"strings"
	"syscall"
	"testing"

	"hilrig/certs"
)

// Opening a FIFO waits for whoever writes to it: it must not be opened.
func TestCheckFilesDoesNotWaitForAPipe(t *testing.T) {
	g := newGiven(t)
	fifo := g.path("fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certs.CheckFiles(fifo, g.crt, g.key); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
}

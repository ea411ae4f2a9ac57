package port

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHeldNamesTheHolderOfALock(t *testing.T) {
	dir := t.TempDir()
	if h, held := Held(dir, "/dev/ttyNowhere"); held {
		t.Errorf("held by %s before anybody has it", h)
	}
	l, err := Lock(dir, "/dev/ttyNowhere", "run-1")
	if err != nil {
		t.Fatal(err)
	}
	if h, held := Held(dir, "/dev/ttyNowhere"); !held || h.PID != os.Getpid() || h.Run != "run-1" {
		t.Errorf("%+v, %v", h, held)
	}
	if _, err := Lock(dir, "/dev/ttyOther", "run-2"); err != nil {
		t.Errorf("looking has taken another lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if h, held := Held(dir, "/dev/ttyNowhere"); held {
		t.Errorf("held by %s after its release", h)
	}
}

func TestHeldPassesOverTheDead(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, lockName("/dev/ttyNowhere"))
	for _, text := range []string{"", "{", `{"pid":2147483646,"run":"gone"}`, `{"pid":0}`, `{"pid":-1}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if h, held := Held(dir, "/dev/ttyNowhere"); held {
			t.Errorf("%q: held by %s", text, h)
		}
	}
}

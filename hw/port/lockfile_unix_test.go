//go:build unix

package port

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/record"
)

// What another user has put in place of a lock file is named, not followed, not
// waited for and not written to.
func TestAStrangersTrapIsNamed(t *testing.T) {
	const line = "/dev/ttyNowhere"
	victim := filepath.Join(t.TempDir(), "victim")
	for kind, set := range map[string]func(name string) error{
		"a link":                          func(name string) error { return os.Symlink(victim, name) },
		"a FIFO":                          func(name string) error { return syscall.Mkfifo(name, 0o666) },
		"a file that has other names too": func(name string) error { return os.Link(victim, name) },
		"a folder":                        func(name string) error { return os.Mkdir(name, 0o777) },
	} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, lockName(line))
			if err := set(name); err != nil {
				t.Fatal(err)
			}
			if h, held := Held(dir, line); held {
				t.Errorf("held by %s", h)
			}
			for what, err := range map[string]error{"asked": LockTrouble(dir, line), "told": errors.New(strings.Join(StrangeLocks(dir), ""))} {
				if err == nil || !strings.Contains(err.Error(), kind) {
					t.Errorf("%s: %v, want %q", what, err, kind)
				}
			}
			_, err := Lock(dir, line, "mine")
			if record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), name) || !errors.Is(err, ErrStrangeLock) || !strings.Contains(err.Error(), kind) {
				t.Errorf("locked: %v", err)
			}
			if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
				t.Errorf("the victim's file is %q, %v", data, err)
			}
		})
	}
}

// A link that takes the lock file's place while it is held leads to nobody's
// file when the lock is given back.
func TestALinkPutInPlaceOfAHeldLockIsLeftAlone(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Lock(dir, "device x", "mine")
	if err != nil {
		t.Fatal(err)
	}
	name := l.lock.Path()
	if err := errors.Join(os.Remove(name), os.Symlink(victim, name)); err != nil {
		t.Fatal(err)
	}
	if err := l.write(nil); err == nil {
		t.Error("it was written through the link")
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the victim's file is %q, %v", data, err)
	}
}

// A folder in which another user can replace every lock holds none that counts;
// the one that all share, open and sticky, does.
func TestAFolderOfAnotherUserIsNamed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: no folder of another user can be made")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir, "device x", "mine"); record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), "of user 12345") {
		t.Errorf("another user's: %v", err)
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	l, err := Lock(dir, "device x", "mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if who := FolderOwner(dir); who != "12345" {
		t.Errorf("owner %q", who)
	}
}

// A lock that another user holds is named with that user, and its text cannot
// steer a terminal.
func TestAnotherUsersLockIsNamed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: no file of another user can be made")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, lockName("/dev/ttyNowhere"))
	if err := os.WriteFile(name, []byte(`{"pid":1,"run":"\u001b[2Jmine"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(name, 12345, -1); err != nil {
		t.Fatal(err)
	}
	h, held := Held(dir, "/dev/ttyNowhere")
	if !held || h.User != "12345" || !strings.Contains(h.String(), "user 12345") || strings.Contains(h.String(), "\x1b") {
		t.Errorf("%v %q", held, h)
	}
}

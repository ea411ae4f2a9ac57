package port

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hilrig/record"
)

// TestMain lets the test binary be another process that holds a lock.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PORT_TEST_HOLD"); dir != "" {
		if _, err := Lock(dir, os.Getenv("PORT_TEST_NAME"), "the-other-run"); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		select {}
	}
	os.Exit(m.Run())
}

// holdElsewhere takes a lock in another process.
func holdElsewhere(t *testing.T, dir, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PORT_TEST_HOLD="+dir, "PORT_TEST_NAME="+name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("other process: %q", line)
	}
	return cmd
}

func TestLockNamesItsHolder(t *testing.T) {
	dir := t.TempDir()
	other := holdElsewhere(t, dir, "device x")
	_, err := Lock(dir, "device x", "mine")
	var busy *BusyError
	if !errors.As(err, &busy) || !errors.Is(err, ErrBusy) || record.ClassOf(err) != record.RigPort {
		t.Fatalf("got %v", err)
	}
	if busy.Holder.PID != other.Process.Pid || busy.Holder.Run != "the-other-run" || time.Since(busy.Holder.Since) > time.Minute {
		t.Errorf("holder %+v, want process %d", busy.Holder, other.Process.Pid)
	}
	for _, want := range []string{"device x", fmt.Sprint(other.Process.Pid), "the-other-run", "since"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestLockOfDeadHolderIsFreeAtOnce(t *testing.T) {
	dir := t.TempDir()
	other := holdElsewhere(t, dir, "device x")
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	l, err := Lock(dir, "device x", "mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestLockLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	l, err := Lock(dir, "/dev/ttyUSB0", "mine")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLockOfAllNamesIsOne(t *testing.T) {
	dir, names := t.TempDir(), t.TempDir()
	real := filepath.Join(names, "ttyUSB0")
	if err := os.WriteFile(real, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link, second := filepath.Join(names, "by-id"), filepath.Join(names, "by-path")
	for from, to := range map[string]string{link: real, second: link} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Lock(dir, link, "mine")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	for _, name := range []string{real, link, second} {
		if _, err := Lock(dir, name, "other"); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLockNamesAreDistinct(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("/dev/serial/by-id/usb", 20)
	for _, path := range []string{"/dev/a_b", "/dev/a/b", "/dev/a%2Fb", "/dev/a:b", `\\.\COM10`, "device a b", long + "1", long + "2"} {
		name := lockName(path)
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %q are both %q", path, other, name)
		}
		if strings.ContainsAny(name, "/\\") || len(name) > 255 {
			t.Errorf("%q is no file name", name)
		}
		seen[name] = path
	}
}

// One at a time holds the lock, also while holders come and go and remove the
// file under those who wait.
func TestLockIsExclusive(t *testing.T) {
	dir := t.TempDir()
	var holders, turns atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				l, err := Lock(dir, "device x", "one")
				if errors.Is(err, ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d holders", n)
				}
				turns.Add(1)
				holders.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if turns.Load() == 0 {
		t.Error("nobody ever held it")
	}
}

func TestLockFolderThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Lock(file, "/dev/ttyUSB0", "mine")
	if record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

func TestLockFolderIsShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hilrig")
	if err := makeShared(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o777 || info.Mode()&os.ModeSticky == 0 {
		t.Errorf("mode %s", info.Mode())
	}
	l, err := Lock(dir, "device x", "mine")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if info, err = os.Stat(l.lock.Path()); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("lock file %v %v", info.Mode(), err)
	}
}

package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hilrig/peers"
	"hilrig/record"
)

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestEveryByteBothWays(t *testing.T) {
	master, name := openPTY(t)
	p := openPort(t, Config{Path: name})
	if _, err := p.Write(everyByte()); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 256)
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, everyByte()) {
		t.Errorf("device got %q, %v", got, err)
	}
	if _, err := master.Write(everyByte()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, everyByte()) {
		t.Errorf("we got %q, %v", got, err)
	}
}

// More than any buffer holds arrives whole at a reader that takes its time.
func TestShortWritesAreFinished(t *testing.T) {
	master, name := openPTY(t)
	p := openPort(t, Config{Path: name, Baud: 4_000_000})
	data := bytes.Repeat(everyByte(), 1024) // 256 kB
	got := make(chan []byte, 1)
	go func() {
		b := make([]byte, len(data))
		_, _ = io.ReadFull(master, b)
		got <- b
	}()
	if n, err := p.Write(data); err != nil || n != len(data) {
		t.Fatal(n, err)
	}
	if !bytes.Equal(<-got, data) {
		t.Error("not what was written")
	}
}

func TestWriteThatNobodyReads(t *testing.T) {
	_, name := openPTY(t)
	before := runtime.NumGoroutine()
	p := openPort(t, Config{Path: name, Baud: 4_000_000, WriteWithin: 50 * time.Millisecond})
	start := time.Now()
	n, err := p.Write(make([]byte, 1<<16))
	if !errors.Is(err, ErrStuck) || record.ClassOf(err) != record.RigPort {
		t.Fatalf("got %v", err)
	}
	if n <= 0 || n >= 1<<16 {
		t.Errorf("%d bytes taken", n)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
	within(t, time.Second, "Close", func() { _ = p.Close() })
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, were %d", after, before)
	}
}

func TestCloseEndsBlockedReadAndWrite(t *testing.T) {
	_, name := openPTY(t)
	p := openPort(t, Config{Path: name, Baud: 4_000_000, WriteWithin: time.Minute})
	var wg sync.WaitGroup
	var rerr, werr error
	wg.Go(func() { _, rerr = p.Read(make([]byte, 1)) })
	wg.Go(func() { _, werr = p.Write(make([]byte, 1<<16)) })
	time.Sleep(20 * time.Millisecond) // both are blocked by now, or find it closed
	within(t, 2*time.Second, "Close", func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
	if !errors.Is(rerr, ErrClosed) || !errors.Is(werr, ErrClosed) {
		t.Errorf("read %v, write %v", rerr, werr)
	}
}

// After Close the descriptor's number belongs to somebody else.
func TestNothingReachesReusedDescriptor(t *testing.T) {
	_, name := openPTY(t)
	p := openPort(t, Config{Path: name})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for range 20 {
		f, err := os.Create(filepath.Join(t.TempDir(), "victim"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if _, err := p.Write([]byte("9270,")); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
	for _, f := range files {
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			t.Errorf("%s has %d bytes, %v", f.Name(), info.Size(), err)
		}
	}
}

func TestUnplugged(t *testing.T) {
	master, name := openPTY(t)
	p := openPort(t, Config{Path: name})
	go func() { _ = master.Close() }()
	_, err := p.Read(make([]byte, 1))
	if !errors.Is(err, ErrUnplugged) || errors.Is(err, ErrClosed) || record.ClassOf(err) != record.RigPort {
		t.Errorf("read: %v", err)
	}
	if _, err = p.Write([]byte("x")); !errors.Is(err, ErrUnplugged) {
		t.Errorf("write: %v", err)
	}
	if !strings.Contains(err.Error(), name) {
		t.Errorf("%q does not name the port", err)
	}
}

func TestOnlyOneReader(t *testing.T) {
	master, name := openPTY(t)
	p := openPort(t, Config{Path: name})
	first := make(chan error, 1)
	read := func() {
		_, err := p.Read(make([]byte, 1))
		first <- err
	}
	go read()
	for p.reading.TryLock() { // until the first one reads
		p.reading.Unlock()
		select {
		case <-first: // this look was in its way
			go read()
		default:
			runtime.Gosched()
		}
	}
	if _, err := p.Read(make([]byte, 1)); record.ClassOf(err) != record.Harness || err == nil {
		t.Errorf("second reader: %v", err)
	}
	if _, err := master.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("first reader: %v", err)
	}
}

func TestTwoNamesOfOnePortMeet(t *testing.T) {
	_, name := openPTY(t)
	link := filepath.Join(t.TempDir(), "by-id")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := openPort(t, Config{Path: link, LockDir: dir, Run: "run-1"})
	_, err := Open(t.Context(), Config{Path: name, LockDir: dir, Run: "run-2"})
	var busy *BusyError
	if !errors.As(err, &busy) || busy.Holder != p.Holder() || busy.Holder.Run != "run-1" {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"open port " + name, "run-1", "since"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	openPort(t, Config{Path: name, LockDir: dir, Run: "run-2"}) // free again
}

// A terminal program locks the device's file, not ours.
func TestPortHeldByTerminalProgram(t *testing.T) {
	_, name := openPTY(t)
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Open(t.Context(), Config{Path: name, LockDir: dir}); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("our own lock is left: %v", left)
	}
}

// A program that reads a line without a lock takes bytes from whoever has the
// lock. Who made a pseudo-terminal has it open, and takes none.
func TestWhoHasALine(t *testing.T) {
	for name, maker := range map[string]bool{"a program": false, "who made it": true} {
		t.Run(name, func(t *testing.T) {
			master, name := openPTY(t)
			cmd := exec.Command(peers.Find(t, "sleep"), "60")
			f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if cmd.Stdin = f; maker {
				cmd.ExtraFiles = []*os.File{master}
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			want := cmd.Process.Pid
			if maker {
				want = 0
			}
			if h, held := Held(t.TempDir(), name); h.PID != want || held == maker {
				t.Errorf("got %s, want process %d", h, want)
			}
			err = Shared(name)
			if shared := new(SharedError); maker != (err == nil) || err != nil && (record.ClassOf(err) != record.RigPort || !errors.As(err, &shared) || shared.Holder.PID != want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A child process that is started while the port is open must not keep the
// line, or its lock, alive.
func TestChildProcessesDoNotInheritTheLine(t *testing.T) {
	_, name := openPTY(t)
	dir := t.TempDir()
	openPort(t, Config{Path: name, LockDir: dir})
	out, err := exec.Command("ls", "-l", "/proc/self/fd").Output()
	if err != nil {
		t.Skip(err)
	}
	if strings.Contains(string(out), name+"\n") || strings.Contains(string(out), dir) {
		t.Errorf("inherited:\n%s", out)
	}
}

// A line that was closed is free at once, though a child process that is being
// started has its descriptor for a moment more.
func TestAClosedLineIsFreeWhileAChildBegins(t *testing.T) {
	_, name := openPTY(t)
	dir := t.TempDir()
	p := openPort(t, Config{Path: name, LockDir: dir})
	fd := -1
	if err := p.wire.(*fileWire).control(func(of int) (err error) {
		fd, err = unix.FcntlInt(uintptr(of), unix.F_DUPFD_CLOEXEC, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	openPort(t, Config{Path: name, LockDir: dir})
}

// The library's Read panics above number 1023.
func TestDescriptorAbove1023(t *testing.T) {
	master, name := openPTY(t)
	for range 1100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
	}
	p := openPort(t, Config{Path: name})
	if _, err := master.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if n, err := p.Read(b); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestOpenFailures(t *testing.T) {
	regular := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(regular, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want error
		says string
	}{
		{"/dev/ttyNotThere0", ErrMissing, "/dev/serial/by-id"},
		{regular, ErrNotSerial, "regular file"},
		{t.TempDir(), ErrNotSerial, "folder"},
		{os.DevNull, ErrNotSerial, "not a serial port"},
	} {
		dir := t.TempDir()
		_, err := Open(t.Context(), Config{Path: c.path, LockDir: dir})
		if !errors.Is(err, c.want) || record.ClassOf(err) != record.RigPort {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		for _, want := range []string{"open port " + c.path, c.says} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s: lock is left: %v", c.path, left)
		}
	}
}

func TestFailureWords(t *testing.T) {
	for _, c := range []struct {
		err  error
		is   error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/dev/ttyUSB0", Err: syscall.EACCES}, ErrPermission,
			"open port /dev/ttyUSB0: permission denied (add your user to dialout: sudo usermod -aG dialout $USER, then log in again)"},
		{syscall.ENOENT, ErrMissing,
			"open port /dev/ttyUSB0: no such port (is the adapter plugged in? ls -l /dev/serial/by-id shows those that are)"},
		{syscall.EBUSY, ErrBusy, "open port /dev/ttyUSB0: busy: held by another process (wait for it, or end it)"},
		{gone(io.EOF), ErrUnplugged,
			"open port /dev/ttyUSB0: port is gone: unplugged, or the adapter has lost its power (EOF) (check cable, adapter and the hub it is on; dmesg says more)"},
	} {
		f := failure("open port", "/dev/ttyUSB0", c.err)
		if !errors.Is(f, c.is) || f.Class != record.RigPort || f.Error() != c.want {
			t.Errorf("got  %q\nwant %q", f.Error(), c.want)
		}
	}
}

func TestOpenIsNotBegunWhenCancelled(t *testing.T) {
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := Open(ctx, Config{Path: "/dev/ttyNotThere0"}); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestSocatAsNullModemCable(t *testing.T) {
	nameA, nameB, pull := socat(t)
	a, b := openPort(t, Config{Path: nameA}), openPort(t, Config{Path: nameB, Baud: 250_000}) // no standard rate
	for _, way := range []struct{ from, to *Port }{{a, b}, {b, a}} {
		if _, err := way.from.Write(everyByte()); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 256)
		if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, everyByte()) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	pull()
	for _, p := range []*Port{a, b} {
		within(t, 5*time.Second, "unplugging", func() {
			if _, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrUnplugged) {
				t.Errorf("read: %v", err)
			}
		})
		if _, err := p.Write([]byte("x")); !errors.Is(err, ErrUnplugged) {
			t.Errorf("write: %v", err)
		}
	}
}

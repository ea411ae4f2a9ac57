//go:build unix

package power_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hilrig/hw/power"
	"hilrig/record"
)

const ready = `echo '{"event":"ready"}'; `

// device is a process that says its number in a file whenever it is switched
// on, and stays.
func device(t *testing.T, script string) (*power.Process, func() int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	p := &power.Process{Argv: sh("echo $$ >" + file + "; " + script)}
	t.Cleanup(func() { _ = p.Off(context.Background()) })
	return p, func() int {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
}

func TestOffIsWholeInAnyState(t *testing.T) {
	for name, script := range map[string]string{
		"idle":            ready + "exec sleep 60",
		"ignores signals": "trap '' TERM INT HUP; " + ready + "while :; do sleep 1; done",
		"prints all day":  ready + "exec yes",
	} {
		t.Run(name, func(t *testing.T) {
			p, pid := device(t, script)
			if err := p.On(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !p.Alive() || !alive(pid()) {
				t.Fatal("not on")
			}
			if err := p.Off(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p.Alive() || alive(pid()) {
				t.Error("still on")
			}
		})
	}
}

func TestTwiceOnAndTwiceOffAreNoErrors(t *testing.T) {
	p, pid := device(t, ready+"exec sleep 60")
	if err := p.Off(t.Context()); err != nil {
		t.Errorf("off before on: %v", err)
	}
	var first int
	for i := range 2 {
		if err := p.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = pid()
		}
	}
	if pid() != first {
		t.Error("on again is another process")
	}
	for range 2 {
		if err := p.Off(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := p.On(t.Context()); err != nil || pid() == first {
		t.Errorf("on after off: process %d, then %d: %v", first, pid(), err)
	}
}

// A device that dies by itself has no power, and can be switched on again.
func TestADeadDeviceIsSeen(t *testing.T) {
	p, _ := device(t, ready+"exit 0")
	if err := p.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); p.Alive(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still alive")
		}
	}
	if err := p.On(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADeviceThatIsNotReadyIsTheRigsTroubleAndGone(t *testing.T) {
	for _, c := range []struct{ name, script, says string }{
		{"ends", "exit 4", "ended before it was ready"},
		{"says something else", "echo hello; exec sleep 60", `not the ready event: "hello"`},
		{"says nothing", "exec sleep 60", "not ready within 300ms"},
		{"says no line end", "printf '%8000d' 0; exec sleep 60", "not ready within 300ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := device(t, c.script)
			p.Within = 300 * time.Millisecond
			err := p.On(t.Context())
			if record.ClassOf(err) != record.RigPower || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v (%s), want %s that says %q", err, record.ClassOf(err), record.RigPower, c.says)
			}
			if p.Alive() {
				t.Error("left alive")
			}
		})
	}
	err := (&power.Process{Argv: []string{"/nope/emulator"}}).On(t.Context())
	if record.ClassOf(err) != record.RigPower {
		t.Errorf("no such program: %v", err)
	}
}

func TestACancelledStartLeavesNothing(t *testing.T) {
	why := errors.New("the run was interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	p, _ := device(t, "exec sleep 60")
	if err := p.On(ctx); !errors.Is(err, why) || p.Alive() {
		t.Errorf("got %v, alive %v", err, p.Alive())
	}
}

// The device's standard input ends with whoever switched it on, so a killed
// harness leaves no device; its file 3 is the terminal, its errors go to the
// log.
func TestTheDeviceHasItsTerminalItsLogAndALifeline(t *testing.T) {
	terminal, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var log bytes.Buffer
	p, _ := device(t, ready+"echo on the terminal >&3; echo in the log >&2; cat >/dev/null")
	p.Terminal, p.Log = terminal, &log
	if err := p.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(terminal.Name())
		if err == nil && string(text) == "on the terminal\n" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("on the terminal: %q", text)
		}
	}
	if !p.Alive() {
		t.Error("its input has ended")
	}
	if err := p.Off(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log.String() != "in the log\n" {
		t.Errorf("log: %q", &log)
	}
}

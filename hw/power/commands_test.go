//go:build unix

package power_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hilrig/hw/power"
	"hilrig/record"
)

func sh(script string) []string { return []string{"sh", "-c", script} }

func argv(words ...string) power.Action { return power.Action{Argv: words} }

func TestCommandsAreRunAsListsWithoutAShell(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a b; $(touch c)")
	if err := (power.Commands{TurnOn: argv([]string{"touch", file}...)}).On(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// A command that fails is the rig's trouble, and says what it said last.
func TestACommandThatFailsIsTheRigs(t *testing.T) {
	for _, c := range []struct {
		name string
		argv []string
		says []string
	}{
		{"exit code", sh("echo first; echo no such hub >&2; exit 3"), []string{"power off", "exit status 3", "no such hub"}},
		{"no such program", []string{"/nope/uhubctl"}, []string{"/nope/uhubctl", "no such file"}},
		{"no command", nil, []string{"no command given", "power.off"}},
		{"hangs", sh("exec sleep 60"), []string{"no end within 200ms"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := power.Commands{TurnOff: argv(c.argv...), Within: 200 * time.Millisecond}.Off(t.Context())
			if record.ClassOf(err) != record.RigPower {
				t.Fatalf("got %v (%s), want class %s", err, record.ClassOf(err), record.RigPower)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// What a hanging command started is gone with it: a script's `sleep` must not
// switch the power hours later.
func TestNothingOfAHangingCommandIsLeft(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	c := power.Commands{TurnOff: argv(sh("sleep 60 & echo $! >" + file + "; wait")...), Within: 300 * time.Millisecond}
	if err := c.Off(t.Context()); err == nil {
		t.Fatal("no error")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d is left", pid)
		}
	}
}

// alive reports a process that runs: one that nobody has waited for is dead.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	return !strings.Contains(string(stat), ") Z ")
}

// A relay's tool may leave a daemon behind that keeps its output open.
func TestACommandMayLeaveADaemon(t *testing.T) {
	if err := (power.Commands{TurnOff: argv(sh("sleep 3 & exit 0")...)}).Off(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestACancelledCommandSaysWhyAndNotThatItWasSlow(t *testing.T) {
	why := errors.New("the run was interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	err := power.Commands{TurnOn: argv(sh("exec sleep 60")...)}.On(ctx)
	if !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
}

func TestPowerSettlesAndSettlingCanBeCancelled(t *testing.T) {
	began := time.Now()
	if err := (power.Commands{TurnOn: argv([]string{"true"}...), Settle: 50 * time.Millisecond}).On(t.Context()); err != nil || time.Since(began) < 50*time.Millisecond {
		t.Errorf("on after %s: %v", time.Since(began), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := (power.Commands{TurnOn: argv([]string{"true"}...), Settle: time.Hour}).On(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A tool that prints without end does not fill the memory.
func TestOutputIsBounded(t *testing.T) {
	err := power.Commands{TurnOff: argv(sh("yes | head -c 3000000; echo last words; exit 1")...)}.Off(t.Context())
	if err == nil || len(err.Error()) > 1000 || !strings.Contains(err.Error(), "last words") {
		t.Errorf("got %d bytes: %.200s", len(err.Error()), err)
	}
}

// What a tool prints is shown without the secrets that it was given.
func TestOutputShowsNoSecret(t *testing.T) {
	err := power.Commands{TurnOff: argv(sh(`echo "no: $API_TOKEN"; exit 3`)...), Env: append(os.Environ(), "API_TOKEN=hunter2")}.Off(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no: ***") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// What stands behind the program in a command may be a password.
func TestAnErrorShowsTheProgramAlone(t *testing.T) {
	t.Parallel()
	err := power.Commands{TurnOff: argv([]string{"false", "--password", "swordfish"}...)}.Off(t.Context())
	if err == nil || strings.Contains(err.Error(), "swordfish") || !strings.Contains(err.Error(), "power off false") {
		t.Errorf("%v", err)
	}
}

//go:build linux

package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/fixtures/rigfile"
)

// A child that is killed can leave its board in any state: the supervisor leaves
// its power as the rig file says.
func TestThePowerOfADeadChildsBoardIsLeftSafe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ part, safe, switched, says string }{
		"killed":              {"killed", "", "on", "power left on"},
		"killed, off is safe": {"killed", rigfile.SafeOff, "off", "power left off"},
		"killed, left alone":  {"killed", rigfile.SafeLeave, "", ""},
		"ended by itself":     {"normal", rigfile.SafeOff, "", ""}, // it has seen to that
		"it cannot be":        {"killed", "broken", "", "power not left broken: power on false: exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "switched")
			way := func(text string) rigfile.PowerAction {
				return rigfile.PowerAction{Argv: []string{"sh", "-c", "printf " + text + " >>" + file}}
			}
			p := plan(t, "emu-1")
			power := &rigfile.Power{On: way("on"), Off: way("off"), Safe: c.safe}
			if c.safe == "broken" {
				power.On = rigfile.PowerAction{Argv: []string{"false"}}
			}
			p.Devices[0].Power = power
			res := run1(t, supervisor(t, c.part), p)
			switched, _ := os.ReadFile(file) // none: nothing was switched
			if string(switched) != c.switched {
				t.Errorf("switched %q, want %q", switched, c.switched)
			}
			said := ""
			for _, e := range readEvents(t, res.Dir) {
				if e.Kind == KindSafePower {
					said = e.Text
				}
			}
			if said != c.says && !(c.says != "" && strings.HasPrefix(said, c.says)) {
				t.Errorf("says %q, want %q", said, c.says)
			}
		})
	}
}

// What a killed child had begun to switch is ended before its board is left
// safe, with all that it started: it must not switch afterwards.
func TestNothingSwitchesBehindTheSafePower(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gate, file := filepath.Join(dir, "gate"), filepath.Join(dir, "switched")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	p := plan(t, "emu-1")
	p.Devices[0].Power = &rigfile.Power{
		On: rigfile.PowerAction{Argv: []string{"sh", "-c", "printf on >>" + file}},
		// its work is done by a program of its own, as that of most scripts
		Off: rigfile.PowerAction{Argv: []string{"sh", "-c", "sh -c 'echo; exec 3<>" + gate + "; read word <&3; printf off >>" + file + "'; exit 0"}},
	}
	run1(t, supervisor(t, "killed-while-it-switches"), p)
	if f, err := os.OpenFile(gate, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil { // somebody reads there
		t.Error("the command of the dead child waits to switch")
		_, _ = f.WriteString("go\n")
		_ = f.Close()
	} else if !errors.Is(err, syscall.ENXIO) {
		t.Fatal(err)
	}
	if switched, err := os.ReadFile(file); string(switched) != "on" {
		t.Errorf("switched %q (%v), want on", switched, err)
	}
}

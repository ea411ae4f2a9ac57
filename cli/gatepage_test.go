//go:build linux

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// in runs a line of a shell in a folder, with a state folder of its own, and
// demands its exit code.
func in(t *testing.T, dir, line string, want int, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "HOME="+dir, "HILRIG_STATE="+filepath.Join(dir, "state"))...)
	out, err := cmd.CombinedOutput()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if code != want {
		t.Errorf("%s: exit code %d, want %d\n%s", line, code, want, out)
	}
	return string(out)
}

// The page about the gate, done in its order as a newcomer does.
func TestThePageOfTheGate(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "release-gate.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fw.json"), []byte(`{"version": "2.4.1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllSubmatch(page, -1)
	if len(commands) < 9 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, m := range commands {
		in(t, dir, string(m[1]), 0)
	}
}

// What make gate does: it flashes what can be flashed, and ends with what the
// gate says.
func TestTheJourneyOfTheGate(t *testing.T) {
	dir := t.TempDir()
	script, err := os.ReadFile(filepath.Join("..", "scripts", "journey.sh"))
	if err != nil {
		t.Fatal(err)
	}
	hilrig, err := exec.LookPath("hilrig")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "scripts"), 0o755), os.Symlink(hilrig, filepath.Join(dir, "hilrig"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"scripts/journey.sh": string(script),
		"sound.json":         `{"version": "2.4.1"}`,
		"faulty.json":        `{"version": "2.4.2", "faults": ["no-verify"]}`,
		"rig.yaml":           "devices: [{name: a, device_id: A, serial: {emulated: {}}}]\n",
		"gate.yaml":          "policy: p\nboards: [{type: infinite}]\nrequired: [tls/unknown-root]\nevidence: {emulated: true}\n",
		"broken.yaml":        "policy: p\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		env, says string
		want      int
	}{
		{"RIG=rig.yaml FIRMWARE=sound.json VERSION=2.4.1", "PASS: firmware 2.4.1", 0},
		{"RIG=rig.yaml FIRMWARE=faulty.json VERSION=2.4.2", "FAIL          required tls/unknown-root", 1},
		{"RIG=rig.yaml FIRMWARE=sound.json POLICY=broken.yaml", "lacks boards, required", 2},
		{"RIG=rig.yaml", "which firmware?", 2},
	} {
		out := in(t, dir, c.env+" RUNFLAGS='--spec tls/unknown-root' bash scripts/journey.sh gate", c.want)
		if !strings.Contains(out, c.says) {
			t.Errorf("%s: no %q in\n%s", c.env, c.says, out)
		}
	}
}

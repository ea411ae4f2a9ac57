//go:build linux

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	t.Parallel()
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

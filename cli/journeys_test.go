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

// journeys is a checkout as far as the journeys need one.
func journeys(t *testing.T) string {
	t.Helper()
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
	return dir
}

// What make gate does: it flashes what can be flashed, and ends with what the
// gate says.
func TestTheJourneyOfTheGate(t *testing.T) {
	t.Parallel()
	dir := journeys(t)
	for _, c := range []struct {
		env, says string
		want      int
	}{
		{"RIG=rig.yaml FIRMWARE=sound.json VERSION=2.4.1", "PASS: firmware 2.4.1", 0},
		{"RIG=rig.yaml FIRMWARE=faulty.json VERSION=2.4.2", "FAIL          required tls/unknown-root", 1},
		{"HILRIG_STATE=rig.yaml/none RIG=rig.yaml FIRMWARE=sound.json VERSION=2.4.1", "this run left no record", 3},
		{"RIG=rig.yaml FIRMWARE=sound.json POLICY=broken.yaml", "lacks boards, required", 2},
		{"RIG=rig.yaml", "which firmware?", 2},
	} {
		out := in(t, dir, c.env+" RUNFLAGS='--spec tls/unknown-root' bash scripts/journey.sh gate", c.want)
		if !strings.Contains(out, c.says) {
			t.Errorf("%s: no %q in\n%s", c.env, c.says, out)
		}
	}
}

// What make regression does: it ends with what the run says.
func TestTheJourneyOfARegression(t *testing.T) {
	t.Parallel()
	dir := journeys(t)
	for _, c := range []struct {
		env, says string
		want      int
	}{
		{"RIG=rig.yaml RUNFLAGS='--spec tls/unknown-root'", "1 pass", 0},
		{"RIG=rig.yaml RUNFLAGS='--spec tls/unknown-root --flash faulty.json'", "tls/unknown-root", 1},
		{"RIG=none.yaml", "none.yaml", 2},
		{"", "which rig?", 2},
	} {
		out := in(t, dir, c.env+" bash scripts/journey.sh regression", c.want)
		if !strings.Contains(out, c.says) {
			t.Errorf("%s: no %q in\n%s", c.env, c.says, out)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "regression.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range regexp.MustCompile(`(?m)^\$ (hilrig .*)$`).FindAllSubmatch(page, -1) {
		in(t, dir, string(m[1]), []int{1, 0, 0}[i]) // newly red; the second goes without the faulty image
	}
}

// What make nightly does: it leaves a page that says what changed, whatever
// comes of the selftest and of the run.
func TestTheJourneyOfTheNight(t *testing.T) {
	t.Parallel()
	dir := journeys(t)
	const soundSelftest = " SELFTESTFLAGS='--fault no-verify --spec tls/unknown-root' bash scripts/journey.sh nightly"
	for _, c := range []struct {
		name, line string
		want       int
		says       []string
	}{
		{"the first", "RUNFLAGS='--spec tls/unknown-root'" + soundSelftest, 0,
			[]string{"(selftest passed)", "Devices: all passed", "no night to compare with"}},
		{"a day's run between is not the last night", "RUNFLAGS='--spec tls/unknown-root --flash faulty.json'" + soundSelftest, 1,
			[]string{"Devices: a device failed", "### Newly red (1)", "| tls/unknown-root | a | pass | fail |"}},
		{"a selftest that fails", "RUNFLAGS='--spec tls/unknown-root'" + strings.Replace(soundSelftest, "--spec tls", "--timeout 1ms --spec tls", 1), 3,
			[]string{"**The selftest ended with 1", "Devices: all passed", "### Newly green (1)"}},
		{"a run that is none", "RUNFLAGS='--spec tls/none'" + soundSelftest, 2,
			[]string{"Devices: nothing was run (exit code 2)", "tls/none", "The selftest was not begun.", "no night to compare with"}},
	} {
		in(t, dir, "hilrig run --spec tls/version", 0)
		in(t, dir, "RIG=rig.yaml "+c.line, c.want)
		page, err := os.ReadFile(filepath.Join(dir, "reports", "nightly", "rig", "nightly.md"))
		if _, err := os.Stat(filepath.Join(dir, "reports", "nightly", "rig", "history.html")); err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, says := range c.says {
			if !strings.Contains(string(page), says) {
				t.Errorf("%s: no %q in\n%s", c.name, says, page)
			}
		}
	}
}

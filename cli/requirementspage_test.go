//go:build linux

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page about requirements, done in its order: its list is the file that its
// commands name.
func TestThePageOfRequirements(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "requirements.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thermostat.yaml"), blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllSubmatch(page, -1)
	if len(commands) != 4 {
		t.Fatalf("%d commands", len(commands))
	}
	for i, m := range commands {
		in(t, dir, string(m[1]), 0)
		if i > 0 {
			continue
		}
		for name, wants := range map[string][]string{
			"summary.md":                     {"| SRS-105 The device speaks TLS 1.2. | pass | tls/version |", "| SRS-104 ", "| not-run | tls/unknown-root, tls/self-signed |", "| SRS-200 The housing keeps water out. | not covered |"},
			"reports/out/latest/report.html": {"Of 3 requirements of thermostat: 1 passed, 1 not shown whole, 1 not covered by any spec.", "SRS-17, revision C"},
			"reports/out/latest/junit.xml":   {`<property name="requirement" value="SRS-104">`},
		} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range wants {
				if !strings.Contains(string(text), want) {
					t.Errorf("%s: no %s in\n%.3000s", name, want, text)
				}
			}
		}
	}
	policy := "policy: p\nboards: [{type: infinite}]\nrequired: [tls/version]\nevidence: {known: [flashed, asked, claimed], emulated: true}\n" + string(blocks[1][1])
	if err := os.WriteFile(filepath.Join(dir, "gate.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	said := in(t, dir, "hilrig gate explain --policy gate.yaml", 0)
	for _, want := range []string{"Each of 3 requirements of thermostat must be shown", "Requirement SRS-200 need not be shown, because: looked at by hand"} {
		if !strings.Contains(strings.Join(strings.Fields(said), " "), want) {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
	said = in(t, dir, "hilrig gate --policy gate.yaml --firmware 1 --annotations", 3)
	if !strings.Contains(said, "::error file=gate.yaml,title=INCONCLUSIVE%3A requirement SRS-104::") {
		t.Errorf("%s", said)
	}
	if err := os.WriteFile(filepath.Join(dir, "thermostat.yaml"), []byte("requirements: x\nlist:\n  - {id: A, specs: [tls/nope]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said = in(t, dir, "hilrig report latest --requirements thermostat.yaml", 2); !strings.Contains(said, "line 3: requirement A: no spec of the catalogue is tls/nope") {
		t.Errorf("%s", said)
	}
}

package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

// Each requirement of a policy's list is a rule: covered, and shown on every
// board at every hub.
func TestEachRequirementIsARule(t *testing.T) {
	dir := t.TempDir()
	const list = "requirements: mine\nlist:\n  - {id: A, specs: ['tls/*']}\n  - {id: 'B 1', specs: [session/connect]}\n  - {id: C, because: by hand}\n"
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	const excepted = "requirements: {list: mine.yaml, except: [{requirement: C, because: looked at by kim}]}\n"
	for _, c := range []struct {
		name, policy string
		change       func(*testing.T, *Question)
		want         Word
		rule, text   string
	}{
		{"all shown", excepted, nothing, Pass, "requirement A", "2 specs passed, 8 results, mine of sha256 "},
		{"one excepted", excepted, nothing, Pass, "requirement C", "no spec shows it, because: looked at by kim"},
		{"one that no spec shows", "requirements: {list: mine.yaml}\n", nothing, Inconclusive, "requirement C", "no spec shows it: by hand"},
		{"a failure", excepted, spec("session/connect", fails), Fail, "requirement B 1", "session/connect on ads300 A1 at local failed"},
		{"not run", excepted, spec("tls/version", func(s *record.SpecResult) { s.Verdict, s.Cause = record.NotRun, "interrupted" }), Inconclusive, "requirement A", "not-run, interrupted"},
		{"not applicable", excepted, spec("tls/version", func(s *record.SpecResult) { s.Verdict, s.Cause = record.NotApplicable, "no clock" }), Inconclusive, "requirement A", "not-applicable, no clock"},
		{"no board", excepted, func(_ *testing.T, q *Question) { q.Runs[0].Record.Devices = nil }, Inconclusive, "requirement A", "no board has a result that counts"},
	} {
		q := sound(t)
		var err error
		if q.Policy, err = ReadPolicy(filepath.Join(dir, "gate.yaml"), []byte(strictPolicy+c.policy), catalogue); err != nil {
			t.Fatal(err)
		}
		c.change(t, q)
		v := Judge(*q)
		found := Rule{}
		for _, r := range v.Rules {
			if r.Name == c.rule {
				found = r
			}
		}
		if found.Verdict != c.want || v.Verdict != c.want || !strings.Contains(found.Text+strings.Join(found.Details, "\n"), c.text) {
			t.Errorf("%s: %s, %+v; want %s, %s", c.name, v.Verdict, found, c.want, c.text)
		}
	}
}

func TestAPolicyNamesAListThatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte("requirements: mine\nlist:\n  - {id: A, specs: ['tls/*']}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.yaml"), []byte("requirements: mine\nlist:\n  - {id: A, specs: ['tsl/*']}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for entry, want := range map[string]string{
		"{list: nowhere.yaml}": "no such file",
		"{list: .}":            "is no file",
		"{list: broken.yaml}":  "line 3: requirement A: no spec of the catalogue is tsl/*",
		"{}":                   "lacks list",
		"mine.yaml":            "requirements",
		"{list: mine.yaml, except: [{requirement: Z, because: x}]}": "mine has no requirement Z",
		"{list: mine.yaml, except: [{requirement: A, because: x}]}": "A is shown by specs",
		"{list: mine.yaml, except: [{requirement: A}]}":             "lacks because",
	} {
		_, err := ReadPolicy(filepath.Join(dir, "gate.yaml"), []byte(strictPolicy+"requirements: "+entry+"\n"), catalogue)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
}

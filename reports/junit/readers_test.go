package junit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/peers"
	"hilrig/reports/junit"
)

// A case names the requirements that it shows, in the strict form too, whose
// schema has no properties of a case.
func TestACaseNamesItsRequirements(t *testing.T) {
	of := func(spec string) []string {
		if spec == "tls/expired" {
			return []string{`SRS "104" & <x>`, "b"}
		}
		return nil
	}
	for strict, want := range map[bool]string{
		false: `<property name="requirement" value="SRS &#34;104&#34; &amp; &lt;x&gt;"></property>`,
		true:  `requirements: SRS &#34;104&#34; &amp; &lt;x&gt;, b`,
	} {
		text := string(render(t, example(), junit.Options{Strict: strict, Requirements: of}))
		if strings.Count(text, want) != 2 { // on two devices
			t.Errorf("strict %v: no %s in\n%s", strict, want, text)
		}
	}
	f := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(f, render(t, example(), junit.Options{Strict: true, Requirements: of}), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), peers.Find(t, "xmllint"), "--noout", "--schema", filepath.Join("testdata", "junit-10.xsd"), f).CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// What others read out of the file is what the record has.
func TestOtherReadersCountTheSame(t *testing.T) {
	node, modules := peers.Node(t, filepath.Join("..", "interchange", "testdata", "readers"), "readers of JUnit (npm junit2json, junit-to-ctrf)")
	for name, o := range map[string]junit.Options{"default": {Requirements: func(string) []string { return []string{"SRS-1"} }}, "strict": {Strict: true}} {
		dir := t.TempDir()
		file := filepath.Join(dir, "junit.xml")
		if err := os.WriteFile(file, render(t, example(), o), 0o644); err != nil {
			t.Fatal(err)
		}
		run := func(program string, args ...string) []byte {
			t.Helper()
			cmd := exec.CommandContext(t.Context(), node, append([]string{filepath.Join(modules, "node_modules", filepath.FromSlash(program))}, args...)...)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v\n%s", program, err, out)
			}
			return out
		}
		var asJSON struct {
			Tests, Failures, Errors int
			Testsuite               []struct {
				Testcase []struct{ Name string }
			}
		}
		if err := json.Unmarshal(run("junit2json/dist/esm/cli.js", file), &asJSON); err != nil {
			t.Fatal(err)
		}
		cases := 0
		for _, s := range asJSON.Testsuite {
			cases += len(s.Testcase)
		}
		if cases != 12 || asJSON.Tests != 12 || asJSON.Failures != 4 || asJSON.Errors != 3 {
			t.Errorf("%s: junit2json has %d cases of %+v", name, cases, asJSON)
		}
		run("junit-to-ctrf/dist/cli.js", "junit.xml", "-o", "ctrf.json")
		data, err := os.ReadFile(filepath.Join(dir, "ctrf.json"))
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Results struct {
				Summary struct{ Tests, Passed, Failed, Skipped int }
				Tests   []struct {
					Name  string
					Flaky bool
				}
			}
		}
		if err := json.Unmarshal(data, &report); err != nil {
			t.Fatal(err)
		}
		s := report.Results.Summary
		flaky := slices.IndexFunc(report.Results.Tests, func(c struct {
			Name  string
			Flaky bool
		}) bool {
			return c.Flaky
		})
		if s.Tests != 12 || s.Passed != 4 || s.Failed != 7 || s.Skipped != 1 || flaky < 0 || !strings.Contains(report.Results.Tests[flaky].Name, "tls/wrong-name") {
			t.Errorf("%s: junit-to-ctrf has %+v", name, report.Results)
		}
	}
}

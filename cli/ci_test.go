package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"hilrig/cli/verb"
	"hilrig/peers"
)

// The files for CI servers call the script, whose exit codes make would hide,
// and those in YAML are YAML.
func TestTheFilesForCI(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "docs", "ci", "*"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "ci", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base, text := filepath.Base(name), string(data)
		if !strings.Contains(string(page), "("+base+")") && base != "README.md" {
			t.Errorf("%s: the page does not name it", base)
		}
		if filepath.Ext(name) != ".timer" && !strings.Contains(text, "scripts/journey.sh") {
			t.Errorf("%s: does not call scripts/journey.sh", base)
		}
		for _, journey := range []string{"make regression", "make gate", "make nightly"} {
			if strings.Contains(text, journey) {
				t.Errorf("%s: %s hides the exit code", base, journey)
			}
		}
		var tree map[string]any
		if filepath.Ext(name) == ".yml" {
			if err := yaml.UnmarshalWithOptions(data, &tree, yaml.Strict()); err != nil || len(tree) == 0 {
				t.Errorf("%s: %v", base, err)
			}
		}
	}
	if len(files) < 8 {
		t.Errorf("%d files", len(files))
	}
}

// The files for CI servers ask for what the servers show, with flags that exist,
// and show nothing that a job before has left.
func TestTheFilesForCIUseWhatCIReads(t *testing.T) {
	root := (&app{App: &verb.App{}}).root()
	flags := regexp.MustCompile(`(RUNFLAGS|GATEFLAGS)\s*[:=]\s*'?(--[^'\n]*)`)
	for name, wants := range map[string][]string{
		"Jenkinsfile":         {"junit allowEmptyResults"},
		"gitlab-ci.yml":       {"junit: [gate.xml, last-run/junit.xml]"},
		"github-actions.yml":  {"GITHUB_STEP_SUMMARY", "--annotations"},
		"azure-pipelines.yml": {"task.uploadsummary", "PublishTestResults@2"},
	} {
		data, err := os.ReadFile(filepath.Join("..", "docs", "ci", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, want := range append(wants, "--junit gate.xml", "--markdown gate.md", "--markdown run.md", "--requirements guide", "last-run", "touch .begun", "reports/out/latest/run.json -nt .begun") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %s", name, want)
			}
		}
		for _, m := range flags.FindAllStringSubmatch(text, -1) {
			cmd, _, err := root.Find([]string{map[string]string{"RUNFLAGS": "run", "GATEFLAGS": "gate"}[m[1]]})
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range strings.Fields(m[2]) {
				if flag, is := strings.CutPrefix(word, "--"); is && cmd.Flags().Lookup(flag) == nil {
					t.Errorf("%s: hilrig %s has no flag %s", name, cmd.Name(), word)
				}
			}
		}
		if len(flags.FindAllString(text, -1)) != 2 {
			t.Errorf("%s: the flags are not found", name)
		}
	}
}

// What the files for CI servers give to a shell is what a shell takes.
func TestTheShellOfTheFilesForCI(t *testing.T) {
	bash := peers.Find(t, "bash")
	check := func(name, text string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), bash, "-n")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
	}
	checked := 0
	var walk func(name, key string, v any)
	walk = func(name, key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, next := range v {
				walk(name, k, next)
			}
		case []any:
			for _, next := range v {
				walk(name, key, next)
			}
		case string:
			switch key {
			case "run", "script", "bash", "after_script":
				checked++
				check(name, v)
			}
		}
	}
	for _, name := range []string{"gitlab-ci.yml", "github-actions.yml", "azure-pipelines.yml"} {
		data, err := os.ReadFile(filepath.Join("..", "docs", "ci", name))
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := yaml.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		walk(name, "", tree)
	}
	jenkins, err := os.ReadFile(filepath.Join("..", "docs", "ci", "Jenkinsfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`sh(?:\(script:)? '([^']*)'`).FindAllStringSubmatch(string(jenkins), -1) {
		checked++
		check("Jenkinsfile", m[1])
	}
	if checked < 12 {
		t.Errorf("%d pieces of shell", checked)
	}
}

// systemd takes the units.
func TestTheUnitsForCI(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systemd is Linux's")
	}
	cmd := exec.CommandContext(t.Context(), peers.Find(t, "systemd-analyze"), "verify", "hilrig-nightly.service", "hilrig-nightly.timer")
	cmd.Dir = filepath.Join("..", "docs", "ci")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "hilrig-nightly") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The workflow for GitHub is one by GitHub's own schema.
func TestTheWorkflowFitsGitHubsSchema(t *testing.T) {
	node, modules := peers.Node(t, "testdata/workflows", "a reader of GitHub's workflows (npm @action-validator/cli)")
	workflow, err := os.ReadFile(filepath.Join("..", "docs", "ci", "github-actions.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for what, c := range map[string]struct {
		text []byte
		fits bool
	}{
		"github-actions.yml": {workflow, true},
		"a key too much":     {append(workflow, "\nstepz: []\n"...), false},
	} {
		name := filepath.Join(dir, "workflow.yml")
		if err := os.WriteFile(name, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), node, filepath.Join(modules, "node_modules", "@action-validator", "cli", "cli.mjs"), name).CombinedOutput()
		if (err == nil) != c.fits {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
}

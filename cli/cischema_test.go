package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"hilrig/peers"
)

// The pipeline for GitLab is one by GitLab's own schema.
func TestThePipelineFitsGitLabsSchema(t *testing.T) {
	node, modules := peers.Node(t, "testdata/workflows", "a reader of GitLab's pipelines (npm gitlab-ci-local)")
	git := peers.Find(t, "git")
	pipeline, err := os.ReadFile(filepath.Join("..", "docs", "ci", "gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		old, put string
		fits     bool
	}{
		"as it is":       {"", "", true},
		"a word for 3":   {"exit_codes: [3]", "exit_codes: [three]", false},
		"a report less":  {"junit: [gate.xml, last-run/junit.xml]", "junit: {}", false},
		"a slip of when": {"when: always", "when: allways", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			text := strings.Replace(string(pipeline), c.old, c.put, 1)
			if err := os.WriteFile(filepath.Join(dir, ".gitlab-ci.yml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(program string, args ...string) (string, error) {
				cmd := exec.CommandContext(t.Context(), program, args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			for _, args := range [][]string{{"init", "-q"}, {"remote", "add", "origin", "https://example.com/lab/firmware.git"}} {
				if out, err := run(git, args...); err != nil {
					t.Fatal(err, out)
				}
			}
			out, err := run(node, filepath.Join(modules, "node_modules", "gitlab-ci-local", "src", "index.js"), "--list")
			if (err == nil) != c.fits || c.fits && !strings.Contains(out, "gate") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// The pipeline for Azure DevOps has the keys that its schema knows, each in its
// place, and each step is of one kind.
func TestThePipelineOfAzureHasKeysThatAzureKnows(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "docs", "ci", "azure-pipelines.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := wrongKeysOfAzure(t, data); len(wrong) > 0 {
		t.Error(wrong)
	}
	for old, put := range map[string]string{
		"timeoutInMinutes": "timeout", "condition: always()": "conditions: always()", "clean: false": "cleen: false",
		"- script: make build": "- script: make build\n        bash: make", "always: true": "alway: true", "publish: last-run": "artifacts: last-run",
	} {
		if len(wrongKeysOfAzure(t, []byte(strings.Replace(string(data), old, put, 1)))) == 0 {
			t.Errorf("%s in place of %s is not seen", put, old)
		}
	}
}

func wrongKeysOfAzure(t *testing.T, data []byte) (wrong []string) {
	t.Helper()
	var tree map[string]any
	if err := yaml.UnmarshalWithOptions(data, &tree, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	known := func(where string, of any, keys ...string) map[string]any {
		m, _ := of.(map[string]any)
		if m == nil {
			wrong = append(wrong, where+" is no mapping")
		}
		for k := range m {
			if !slices.Contains(keys, k) {
				wrong = append(wrong, where+" has "+k)
			}
		}
		return m
	}
	each := func(where string, of any, do func(any)) {
		list, _ := of.([]any)
		if len(list) == 0 {
			wrong = append(wrong, where+" is no list")
		}
		for _, v := range list {
			do(v)
		}
	}
	known("the pipeline", tree, "trigger", "schedules", "pool", "jobs")
	each("schedules", tree["schedules"], func(v any) {
		known("branches", known("a schedule", v, "cron", "displayName", "branches", "always", "batch")["branches"], "include", "exclude")
	})
	common := []string{"displayName", "condition", "continueOnError", "enabled", "env", "name", "timeoutInMinutes", "retryCountOnTaskFailure"}
	kinds := map[string][]string{
		"checkout": {"clean", "fetchDepth", "fetchTags", "lfs", "submodules", "path", "persistCredentials"},
		"script":   {"workingDirectory", "failOnStderr"}, "bash": {"workingDirectory", "failOnStderr"},
		"task": {"inputs"}, "publish": {"artifact"},
	}
	each("jobs", tree["jobs"], func(v any) {
		job := known("a job", v, "job", "displayName", "timeoutInMinutes", "cancelTimeoutInMinutes", "variables", "steps", "pool", "condition")
		each("steps", job["steps"], func(v any) {
			step, _ := v.(map[string]any)
			var is []string
			for kind := range kinds {
				if _, ok := step[kind]; ok {
					is = append(is, kind)
				}
			}
			if len(is) != 1 {
				wrong = append(wrong, fmt.Sprint("a step of the kinds ", is, ": ", v))
				return
			}
			known("the step "+is[0], step, append(append(slices.Clone(common), is[0]), kinds[is[0]]...)...)
		})
	})
	return wrong
}

// The Jenkinsfile is a declarative pipeline: each block stands where Jenkins
// takes it, and those that it needs are there.
func TestTheJenkinsfileIsADeclarativePipeline(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "docs", "ci", "Jenkinsfile"))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := wrongInJenkins(string(data)); len(wrong) > 0 {
		t.Error(wrong)
	}
	for old, put := range map[string]string{
		"agent { label 'hilrig' }": "", "options {": "option {", "    post {": "    posts {", "stages {": "stage {", "always {": "allways {",
		"            }\n        }\n    }\n    post": "            }\n        }\n    post", "steps {": "script {",
	} {
		if len(wrongInJenkins(strings.Replace(string(data), old, put, 1))) == 0 {
			t.Errorf("%q in place of %q is not seen", put, old)
		}
	}
}

// wrongInJenkins knows the blocks of Jenkins' declarative syntax that the file
// has use for, and which of them must be there.
func wrongInJenkins(text string) (wrong []string) {
	within := map[string]string{
		"pipeline": "", "agent": "pipeline", "options": "pipeline", "parameters": "pipeline", "environment": "pipeline", "stages": "pipeline", "post": "pipeline",
		"stage": "stages", "steps": "stage", "script": "steps", "always": "post",
	}
	groovy := []string{"if", "else"} // of a script, anywhere below
	text = regexp.MustCompile(`(?m)//.*$`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`'[^'\n]*'|"[^"\n]*"`).ReplaceAllString(text, "")
	seen, open := map[string]bool{}, []string{}
	for _, m := range regexp.MustCompile(`(\w*)\s*(?:\([^(){}]*\))?\s*\{|\}`).FindAllStringSubmatch(text, -1) {
		if m[0] == "}" {
			if len(open) == 0 {
				return append(wrong, "a brace closes that nothing opened")
			}
			open = open[:len(open)-1]
			continue
		}
		parent, block := "", m[1]
		if len(open) > 0 {
			parent = open[len(open)-1]
		}
		seen[block] = true
		at, known := within[block]
		inScript := slices.Contains(open, "script") && slices.Contains(groovy, block)
		if !inScript && (!known || at != parent) {
			wrong = append(wrong, fmt.Sprintf("%s stands in %q", block, parent))
		}
		open = append(open, block)
	}
	if len(open) > 0 {
		wrong = append(wrong, fmt.Sprint("not closed: ", open))
	}
	for _, must := range []string{"pipeline", "agent", "stages", "stage", "steps"} {
		if !seen[must] {
			wrong = append(wrong, "no "+must)
		}
	}
	return wrong
}

// cron takes the line: five times, and a percent sign would end the command.
func TestTheLineForCron(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "docs", "ci", "crontab"))
	if err != nil {
		t.Fatal(err)
	}
	times := regexp.MustCompile(`^(?:[\d*,/-]+ ){5}(.*)$`)
	set := regexp.MustCompile(`^\w+=[^$\x60]*$`) // cron puts nothing in for $NAME there
	bash, lines := peers.Find(t, "bash"), 0
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") || set.MatchString(line) {
			continue
		}
		lines++
		m := times.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[1], "%") {
			t.Errorf("no line of a crontab: %s", line)
			continue
		}
		if out, err := exec.CommandContext(t.Context(), bash, "-n", "-c", m[1]).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if lines != 1 {
		t.Errorf("%d lines", lines)
	}
}

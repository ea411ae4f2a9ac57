package interchange_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/peers"
	"hilrig/record"
	"hilrig/reports/interchange"
)

type allureResult struct {
	UUID, HistoryID, Name, Status string
	Start, Stop                   int64
	StatusDetails                 struct {
		Message string
		Flaky   bool
	}
	Labels      []struct{ Name, Value string }
	Steps       []struct{ Name, Status string }
	Attachments []struct{ Name, Source string }
}

func allure(t *testing.T, r *record.Record, dir, runDir string) map[string][]allureResult {
	t.Helper()
	if err := interchange.Allure(dir, r, runDir, of); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*-result.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]allureResult{}
	for _, f := range files {
		var one allureResult
		data, err := os.ReadFile(f)
		if err == nil {
			err = json.Unmarshal(data, &one)
		}
		if err != nil || filepath.Base(f) != one.UUID+"-result.json" {
			t.Fatalf("%s: %v", f, err)
		}
		all[one.Name] = append(all[one.Name], one)
	}
	return all
}

// A case is a result for each try, and the try that counts is the latest.
func TestAllureHasAResultForEachTry(t *testing.T) {
	all := allure(t, example(), t.TempDir(), "")
	for name, want := range map[string]struct {
		before, last string
		message      string
	}{
		"tls/version does what it should":          {"", "passed", ""},
		"tls/unknown-root does what it should":     {"", "passed", "refuses without"},
		"tls/expired does what it should":          {"", "failed", "expected a refusal"},
		"tls/wrong-name does what it should":       {"failed", "passed", ""},
		"tls/self-signed does what it should":      {"broken", "failed", "second try"},
		"tls/server-name does what it should":      {"", "skipped", "IP address"},
		"delivery/topic does what it should":       {"", "broken", "not run: port gone"},
		"recovery/hub-restart does what it should": {"", "broken", "rig:hub: hub port taken"},
		"delivery/qos":    {"", "broken", "not run: "},
		"device ads300-b": {"", "broken", "harness: child was killed"},
	} {
		tries := all[name]
		var last, before allureResult
		for _, one := range tries {
			if one.Start >= last.Start {
				last, before = one, last
			} else {
				before = one
			}
		}
		if last.Status != want.last || before.Status != want.before || !strings.Contains(last.StatusDetails.Message, want.message) || last.Start == 0 || last.Stop < last.Start {
			t.Errorf("%s: %+v after %+v, want %+v", name, last, before, want)
		}
		if before.UUID != "" && (before.HistoryID != last.HistoryID || before.UUID == last.UUID || before.Start == last.Start) {
			t.Errorf("%s: the tries are not one case: %+v", name, tries)
		}
	}
	if len(all) != 10 {
		t.Errorf("%d cases", len(all))
	}
}

func TestAllureHasEvidenceStepsAndLabels(t *testing.T) {
	dir := t.TempDir()
	red := allure(t, example(), dir, runFolder(t))["tls/expired does what it should"][0]
	text, err := os.ReadFile(filepath.Join(dir, red.Attachments[0].Source))
	if err != nil || string(text) != "34567" {
		t.Errorf("transcript %q, %v", text, err)
	}
	if len(red.Steps) != 2 || red.Steps[0].Status != "passed" || red.Steps[1].Status != "failed" {
		t.Errorf("steps %+v", red.Steps)
	}
	labels := map[string]string{}
	for _, l := range red.Labels {
		labels[l.Name] = l.Value
	}
	if labels["suite"] != "ads300-a" || labels["subSuite"] != "tls" || labels["requirement"] != "SRS 104" {
		t.Errorf("labels %v", labels)
	}
	env, err := os.ReadFile(filepath.Join(dir, "environment.properties"))
	if err != nil || !strings.Contains(string(env), "firmware=2.4.1 \\u00fc\n") || !strings.Contains(string(env), `rig=bench "1"\\`+"\n") {
		t.Errorf("environment %s, %v", env, err)
	}
}

// A run that is rendered again has the same files; a board that moved to another
// slot is the same board, and two that share a serial number are two.
func TestAllureKnowsACaseAgain(t *testing.T) {
	dir, r := t.TempDir(), example()
	allure(t, r, dir, "")
	first, _ := os.ReadDir(dir)
	before := allure(t, r, dir, "")
	if again, _ := os.ReadDir(dir); len(again) != len(first) {
		t.Errorf("%d files, then %d", len(first), len(again))
	}
	const name = "tls/version does what it should"
	moved := example()
	moved.Run.ID, moved.Devices[0].Name = "20261123T231501Z-7f3a", "slot-9"
	after := allure(t, moved, t.TempDir(), "")
	if a, b := before[name][0], after[name][0]; a.HistoryID != b.HistoryID || a.UUID == b.UUID {
		t.Errorf("%+v and %+v", a, b)
	}
	twins := example()
	twins.Devices[1] = twins.Devices[0]
	twins.Devices[1].Name = "ads300-c"
	if two := allure(t, twins, t.TempDir(), "")[name]; len(two) != 2 || two[0].HistoryID == two[1].HistoryID {
		t.Errorf("%+v", two)
	}
}

// Allure's own reader counts what is here.
func TestAllureReadsItsResults(t *testing.T) {
	node, modules := peers.Node(t, filepath.Join("testdata", "readers"), "Allure (npm allure)")
	dir := t.TempDir()
	allure(t, example(), filepath.Join(dir, "results"), runFolder(t))
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(modules, "node_modules", "allure", "cli.js"), "generate", "results", "--output", "report")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "report", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var summary struct {
		Stats map[string]int
	}
	if err := json.Unmarshal(data, &summary); err != nil {
		t.Fatal(err)
	}
	s := summary.Stats
	if s["total"] != 10 || s["passed"] != 3 || s["failed"] != 2 || s["broken"] != 4 || s["skipped"] != 1 {
		t.Errorf("Allure counts %v", s)
	}
}

package interchange_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hilrig/peers"
	"hilrig/record"
	"hilrig/reports/interchange"
)

func ctrf(t *testing.T, r *record.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := interchange.CTRF(&b, r, of); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// testdata/ctrf.schema.json is the schema that the format's owners publish, with
// their licence (MIT).
func TestCTRFFitsThePublishedSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("testdata", "ctrf.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	empty := &record.Record{}
	for name, r := range map[string]*record.Record{"every kind": example(), "many": many(100), "no device": empty} {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(ctrf(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was red stays red, what was tried again is told.
func TestCTRFTellsEveryCase(t *testing.T) {
	var doc struct {
		Results struct {
			Summary struct{ Tests, Passed, Failed, Skipped, Flaky int }
			Tests   []struct {
				Name, Status, RawStatus string
				Retries                 int
				Flaky                   bool
				RetryAttempts           []struct {
					Attempt int
					Status  string
				}
				Extra map[string]any
			}
		}
	}
	if err := json.Unmarshal(ctrf(t, example()), &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"tls/version does what it should": "passed", "tls/unknown-root does what it should": "passed", "tls/expired does what it should": "failed", "tls/self-signed does what it should": "failed",
		"tls/wrong-name does what it should": "passed", "tls/server-name does what it should": "skipped", "delivery/topic does what it should": "failed",
		"recovery/hub-restart does what it should": "failed", "delivery/qos": "failed", "device ads300-b": "failed",
	}
	for _, c := range doc.Results.Tests {
		if want[c.Name] != c.Status {
			t.Errorf("%s: %s, want %s", c.Name, c.Status, want[c.Name])
		}
		delete(want, c.Name)
		switch c.Name {
		case "tls/wrong-name does what it should":
			if !c.Flaky || c.Retries != 1 || len(c.RetryAttempts) != 1 || c.RetryAttempts[0].Status != "failed" {
				t.Errorf("flaky: %+v", c)
			}
		case "tls/self-signed does what it should":
			if c.Flaky || c.Retries != 1 {
				t.Errorf("retried: %+v", c)
			}
		case "tls/expired does what it should":
			if ids, _ := c.Extra["requirements"].([]any); len(ids) != 1 || ids[0] != "SRS 104" {
				t.Errorf("requirements: %v", c.Extra)
			}
		}
	}
	if s := doc.Results.Summary; len(want) > 0 || s.Tests != 10 || s.Passed != 3 || s.Failed != 6 || s.Skipped != 1 || s.Flaky != 1 {
		t.Errorf("missing %v, summary %+v", want, s)
	}
}

// The format's reference implementation takes what is written.
func TestCTRFsOwnValidatorTakesIt(t *testing.T) {
	node, modules := peers.Node(t, filepath.Join("testdata", "readers"), "CTRF's validator (npm ctrf)")
	file := filepath.Join(t.TempDir(), "ctrf.json")
	if err := os.WriteFile(file, ctrf(t, example()), 0o644); err != nil {
		t.Fatal(err)
	}
	const script = `const {validateStrict} = require(process.argv[1] + "/node_modules/ctrf");
validateStrict(JSON.parse(require("fs").readFileSync(process.argv[2], "utf8")));`
	if out, err := exec.CommandContext(t.Context(), node, "-e", script, modules, file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

// Whoever reads of a damaged record is told where, what was expected, and what
// helps.
func TestADamagedRecordIsToldWhere(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "the file is empty"},
		"cut":             {"{\n \"schema\": 1,\n \"run\": {\"id\": \"2026", "line 3, column 21: the file ends in the middle"},
		"cut after comma": {"{\n \"schema\": 1,\n", "line 3, column 1: the file ends in the middle"},
		"comma lost":      {"{\n \"schema\": 1\n \"run\": {}\n}", `line 3, column 2: expected a comma or }, found "\""`},
		"zeros":           {"{\n \"schema\": \x00\x00\x00", `line 2, column 12: expected a value, found "\x00"`},
		"all zeros":       {"\x00\x00\x00\x00", `line 1, column 1: expected a value, found "\x00"`},
		"colon lost":      {"{\"schema\" 1}", `line 1, column 11: expected a colon, found "1"`},
		"two in one":      {"{\"schema\": 1}\n{", `line 2, column 1: expected the end of the file, found "{"`},
		"wrong kind":      {"{\"schema\": 1,\n\"run\": {\"id\": 7}}", "line 2, column 15: run.id: expected a text, found a number"},
		"a list":          {"[]", "expected an object, found a array"},
	} {
		path := filepath.Join(t.TempDir(), "run.json")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := record.Load(path)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "hilrig report --rebuild "+filepath.Dir(path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

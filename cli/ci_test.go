package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
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

package named

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRun(t *testing.T) {
	out := t.TempDir()
	for _, id := range []string{"20261122T231501Z-7f3a", "20261123T000000Z-0001"} {
		dir := filepath.Join(out, id)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	newest, old := filepath.Join(out, "20261123T000000Z-0001"), filepath.Join(out, "20261122T231501Z-7f3a")
	for run, want := range map[string]string{
		"latest": newest, "20261122T231501Z-7f3a": old, old: old, "nonsense": "", "": "",
		"latest~0": newest, "latest~1": old, "latest~2": "", "latest~": "", "latest~-1": "", "latest~x": "", "~1": "",
	} {
		got, err := Run(out, run, false)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Run(%q) = %q, %v", run, got, err)
		}
	}
	if err := os.Symlink(filepath.Base(old), filepath.Join(out, "latest")); err != nil {
		t.Fatal(err)
	}
	if got, err := Run(out, "latest", false); got != old || err != nil {
		t.Errorf("through the link: %q, %v", got, err)
	}
}

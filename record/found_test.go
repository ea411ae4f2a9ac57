package record_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hilrig/record"
)

// A folder may be called as somebody likes.
func TestFoundInAFolderOfAnyName(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"plain", "[lab]", "[a", "{x}", "^y", ""} {
		for _, file := range []string{"round-02/devices/a", "round-01/devices/b", "round-01/run.json", "run.json"} {
			path := filepath.Join(dir, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for pattern, want := range map[string][]string{
			"round-*":         {"round-01", "round-02"},
			"round-*/devices": {"round-01/devices", "round-02/devices"},
			"run.json":        {"run.json"},
			"*.yaml":          nil,
		} {
			for i := range want {
				want[i] = filepath.Join(dir, filepath.FromSlash(want[i]))
			}
			if got := record.Found(dir, pattern); !slices.Equal(got, want) {
				t.Errorf("%q in %q: found %q, want %q", pattern, dir, got, want)
			}
		}
	}
	if got := record.Found("nowhere", "*"); len(got) > 0 {
		t.Errorf("found %q nowhere", got)
	}
}

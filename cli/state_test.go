package cli

import (
	"os"
	"path/filepath"
	"testing"

	"hilrig/record"
)

func TestStateDir(t *testing.T) {
	home := t.TempDir()
	for _, c := range []struct{ name, state, xdg, want string }{
		{"asked for", filepath.Join(home, "s"), filepath.Join(home, "x"), filepath.Join(home, "s")},
		{"XDG", "", filepath.Join(home, "x"), filepath.Join(home, "x", "hilrig")},
		{"relative XDG is ignored", "", "x", filepath.Join(home, ".local", "state", "hilrig")},
		{"home", "", "", filepath.Join(home, ".local", "state", "hilrig")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.state == "" && writable("/var/lib/hilrig") {
				t.Skip("this host has a /var/lib/hilrig")
			}
			t.Setenv("HOME", home)
			t.Setenv("HILRIG_STATE", c.state)
			t.Setenv("XDG_STATE_HOME", c.xdg)
			got, err := stateDir()
			if err != nil || got != c.want {
				t.Fatalf("%q, %v; want %q", got, err, c.want)
			}
			if st, err := os.Stat(got); err != nil || st.Mode().Perm() != 0o700 {
				t.Errorf("%v %v", st.Mode(), err)
			}
		})
	}
}

func TestAStateFolderThatCannotBeMadeIsTheHostsFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HILRIG_STATE", filepath.Join(file, "state"))
	if _, err := stateDir(); record.ClassOf(err) != record.RigHost {
		t.Error(err)
	}
}

func TestFindRun(t *testing.T) {
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
	} {
		got, err := findRun(out, run, false)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("findRun(%q) = %q, %v", run, got, err)
		}
	}
	if err := os.Symlink(filepath.Base(old), filepath.Join(out, "latest")); err != nil {
		t.Fatal(err)
	}
	if got, err := findRun(out, "latest", false); got != old || err != nil {
		t.Errorf("through the link: %q, %v", got, err)
	}
}

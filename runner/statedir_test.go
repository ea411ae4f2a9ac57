package runner

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
			got, err := StateDir()
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
	if _, err := StateDir(); record.ClassOf(err) != record.RigHost {
		t.Error(err)
	}
}

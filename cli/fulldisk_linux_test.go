package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hilrig/record"
)

// smallDisk is a file system of 400 kB.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=400k"); err != nil {
		t.Skip("cannot mount a small file system: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill writes until nothing more goes in.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 1 << 20 {
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			return
		}
	}
	t.Fatal("the disk does not fill")
}

// A full disk is the host's, whichever of the two folders is on it and whenever
// it fills: exit code 3, and no verdict on a device.
func TestAFullDiskIsTheHostsFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  bool   // it is the state's disk, not the record's
		at     string // what has happened when it fills; empty: it is full from the first
		passes bool   // something was found before
	}{
		{"state, from the first", true, "", false},
		{"state, in the middle", true, `"kind":"spec.started","spec":"provisioning/root"`, true},
		{"record, from the first", false, "", false},
		{"record, in the middle", false, `"kind":"spec.started","spec":"provisioning/root"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			small, dir := smallDisk(t), t.TempDir()
			state, out := filepath.Join(small, "state"), filepath.Join(dir, "out")
			if !c.state {
				state, out = filepath.Join(dir, "state"), filepath.Join(small, "out")
			}
			log, err := os.Create(filepath.Join(dir, "said"))
			if err != nil {
				t.Fatal(err)
			}
			p := &process{exec.Command("hilrig", "run", "--label-filter", "core", "--spec", "identity/*", "--spec", "provisioning/*", "--out", out), dir}
			p.Dir, p.Env, p.Stdout, p.Stderr = dir, append(os.Environ(), "HILRIG_STATE="+state), log, log
			if c.at == "" {
				fill(t, small)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Process.Kill() })
			if c.at != "" {
				comesTo(t, out, c.at)
				fill(t, small)
			}
			p.ends(t, 3)
			said, err := os.ReadFile(log.Name())
			if err != nil || !strings.Contains(string(said), "no space left on device (is the disk full") || !strings.Contains(string(said), small) {
				t.Errorf("said: %v\n%s", err, said)
			}
			if !c.state && c.at == "" {
				return // nowhere to write it
			}
			r, err := record.Load(filepath.Join(out, "latest/run.json"))
			if err != nil {
				t.Fatal(err)
			}
			if r.Run.Verdict.Green() || c.state && r.Unended() != "" {
				t.Errorf("verdict %s, %q", r.Run.Verdict, r.Unended())
			}
			passed := false
			for _, s := range r.Devices[0].Specs {
				passed = passed || s.Verdict == record.Pass
				if s.Verdict == record.Fail || s.Verdict != record.Pass && c.state && s.Class != record.RigHost {
					t.Errorf("%s: %s (%s) %s%s", s.ID, s.Verdict, s.Class, s.Message, s.Cause)
				}
			}
			if passed != c.passes {
				t.Errorf("passed before: %t, want %t", passed, c.passes)
			}
			wholeOrAbsent(t, small)
		})
	}
}

// wholeOrAbsent demands that nothing half written was left behind.
func wholeOrAbsent(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".tmp-") {
			t.Errorf("left behind: %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// Whoever looks for abandoned journals just as one is given up may hold its lock
// for a moment, and take it away first.
func TestAJournalWhoseLockIsGoneIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	j, err := Open[string](dir)
	if err != nil {
		t.Fatal(err)
	}
	locks, err := filepath.Glob(filepath.Join(dir, "journal-*.lock"))
	if err != nil || len(locks) != 1 {
		t.Fatalf("locks %q, %v", locks, err)
	}
	if err := os.Remove(locks[0]); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// A journal outlives its process where it has entries, and is another's to take
// once that process is gone: here its lock is let go, as a kill does.
func TestAJournalIsTakenFromTheDeadAlone(t *testing.T) {
	dir := t.TempDir()
	j, err := Open[string](dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []string{"a", "b"} {
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if of, err := Abandoned[string](dir); err != nil || len(of) != 0 {
		t.Errorf("of a living process: %d, %v", len(of), err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	of, err := Abandoned[string](dir)
	if err != nil || len(of) != 1 || len(of[0].Entries) != 2 {
		t.Fatalf("of a dead one: %+v, %v", of, err)
	}
	if again, err := Abandoned[string](dir); err != nil || len(again) != 0 {
		t.Errorf("what one has taken another takes too: %d, %v", len(again), err)
	}
	if err := of[0].Remove(func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if err := of[0].Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

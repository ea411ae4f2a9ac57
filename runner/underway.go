package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// underWayFile is locked by the supervisor as long as a run goes on. The lock
// is the kernel's: a supervisor that is killed does not hold it.
const underWayFile = "run.lock"

// goOn takes the lock of a run folder. A file system that has no locks keeps no
// run from being run: it then looks killed to whoever reads it on the way.
func goOn(dir string) (over func() error) {
	l := flock.New(filepath.Join(dir, underWayFile), flock.SetPermissions(0o644))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // a reader holds it for a moment
	defer cancel()
	if held, err := l.TryLockContext(ctx, 5*time.Millisecond); err != nil || !held {
		return func() error { return nil }
	}
	return func() error { return errors.Join(l.Unlock(), os.Remove(l.Path())) }
}

// underWay reports whether the supervisor of a run folder lives.
func underWay(dir string) bool {
	name := filepath.Join(dir, underWayFile)
	if st, err := os.Lstat(name); err != nil || !st.Mode().IsRegular() {
		return false
	}
	l := flock.New(name, flock.SetFlag(os.O_RDONLY))
	free, err := l.TryRLock()
	if err != nil {
		return false
	}
	if free {
		_ = l.Unlock() // only asked
	}
	return !free
}

// Load reads the record of a run folder, or of a round's, and knows whether the
// run still goes on.
func Load(dir string) (*record.Record, error) {
	rec, _, err := LoadText(dir)
	return rec, err
}

// LoadText is Load, with the text that was read: whoever signs what a record
// says signs that text and no later one.
func LoadText(dir string) (*record.Record, []byte, error) {
	goesOn := underWay(dir) || underWay(filepath.Dir(dir)) // before: a run that ends meanwhile has its end in the record
	name := filepath.Join(dir, record.RecordFile)
	text, err := record.Read(name)
	if err != nil {
		return nil, nil, err
	}
	rec, err := record.Decode(name, text)
	if err != nil {
		return nil, nil, err
	}
	rec.Run.UnderWay = goesOn && rec.Run.Ended.IsZero()
	return rec, text, nil
}

package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// Journal says what this process has made, in entries of type E. It is locked as
// long as the process lives: one that nobody holds is a dead one's, and what it
// names is still to be removed. It is for one caller at a time.
type Journal[E any] struct {
	name    string
	held    *flock.Flock
	Entries []E `json:"entries"`
}

// Open begins this process's journal in a folder.
func Open[E any](dir string) (*Journal[E], error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, record.NewFailure(record.RigHost, "read", "random numbers", err)
	}
	j := &Journal[E]{name: filepath.Join(dir, "journal-"+hex.EncodeToString(id)+".json")}
	j.held = flock.New(j.name+".lock", flock.SetPermissions(0o600))
	if ok, err := j.held.TryLock(); err != nil || !ok {
		return nil, record.NewFailure(record.RigHost, "lock", j.held.Path(), err)
	}
	return j, nil
}

// Add has an entry on disk before what it tells of is begun.
func (j *Journal[E]) Add(e E) error {
	j.Entries = append(j.Entries, e)
	return j.Save()
}

// Remove takes the entries out that match.
func (j *Journal[E]) Remove(match func(E) bool) error {
	j.Entries = slices.DeleteFunc(j.Entries, match)
	return j.Save()
}

// Save has the entries on disk as they are now.
func (j *Journal[E]) Save() error {
	text, err := json.Marshal(j)
	if err != nil {
		return record.NewFailure(record.Harness, "write", j.name, err)
	}
	return record.WriteFile(j.name, text, 0o600)
}

// Close gives the journal up. Without entries there is nothing left to do, and
// it goes.
func (j *Journal[E]) Close() error {
	if len(j.Entries) > 0 {
		return j.held.Close()
	}
	// Nothing was ever added, or another process has looked and taken the lock away.
	return errors.Join(removed(j.name), removed(j.held.Path()), j.held.Close())
}

// removed has a file gone, whoever took it away.
func removed(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Abandoned are the journals of processes that are dead; who takes them holds
// them.
func Abandoned[E any](dir string) (all []*Journal[E], err error) {
	for _, lock := range record.Found(dir, "journal-*.lock") {
		j := &Journal[E]{name: strings.TrimSuffix(lock, ".lock"), held: flock.New(lock, flock.SetPermissions(0o600))}
		if ok, err := j.held.TryLock(); err != nil || !ok {
			continue // its process lives
		}
		text, err := os.ReadFile(j.name)
		if err == nil {
			err = json.Unmarshal(text, j)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return all, errors.Join(record.NewFailure(record.RigHost, "read", j.name, err), j.held.Close())
		}
		all = append(all, j)
	}
	return all, nil
}

// Turn takes the turn at a folder among all processes.
func Turn(ctx context.Context, dir string) (done func(), err error) {
	l := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	if ok, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil || !ok {
		return nil, record.NewFailure(record.RigHost, "wait for", l.Path(), errors.Join(err, context.Cause(ctx)))
	}
	return func() { _ = l.Close() }, nil // the lock ends with it
}

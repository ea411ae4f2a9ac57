package broker

import (
	"context"
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

// entry is a certificate that the broker was made to know.
type entry struct {
	DeviceID    string   `json:"device_id"`
	Thumbprint  string   `json:"thumbprint"`  // SHA-256
	Certificate []byte   `json:"certificate"` // PEM
	Remove      []string `json:"remove"`      // what makes the broker forget it, as it was when it was added
}

// journal says what this process has added at a broker. It is locked as long as
// the process lives: one that nobody holds is a dead one's, and what it names is
// still to be removed.
type journal struct {
	dir     string // of the broker
	name    string // of the journal
	held    *flock.Flock
	Entries []entry `json:"entries"`
}

func openJournal(dir string) (*journal, error) {
	id, err := nonce()
	if err != nil {
		return nil, err
	}
	j := &journal{dir: dir, name: filepath.Join(dir, "journal-"+id+".json")}
	j.held = flock.New(j.name+".lock", flock.SetPermissions(0o600))
	if ok, err := j.held.TryLock(); err != nil || !ok {
		return nil, record.NewFailure(record.RigHost, "lock", j.held.Path(), err)
	}
	return j, nil
}

// save is before what it tells of: a command that was begun is undone.
func (j *journal) save() error {
	text, err := json.Marshal(j)
	if err != nil {
		return record.NewFailure(record.Harness, "write", j.name, err)
	}
	return record.WriteFile(j.name, text, 0o600)
}

// close gives the journal up. Without entries there is nothing left to do, and
// it goes.
func (j *journal) close() error {
	if len(j.Entries) > 0 {
		return j.held.Close()
	}
	err := os.Remove(j.name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // nothing was ever added
	}
	return errors.Join(err, os.Remove(j.held.Path()), j.held.Close())
}

// abandoned are the journals of processes that are dead; who takes them holds
// them.
func abandoned(dir string) (all []*journal, err error) {
	locks, err := filepath.Glob(filepath.Join(dir, "journal-*.lock"))
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "read", dir, err)
	}
	for _, lock := range locks {
		j := &journal{dir: dir, name: strings.TrimSuffix(lock, ".lock"), held: flock.New(lock, flock.SetPermissions(0o600))}
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

// lockFolder takes the turn at a broker's folder among all processes.
func lockFolder(ctx context.Context, dir string) (unlock func(), err error) {
	l := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	if ok, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil || !ok {
		return nil, record.NewFailure(record.RigHost, "wait for", l.Path(), errors.Join(err, context.Cause(ctx)))
	}
	return func() { _ = l.Close() }, nil // the lock ends with it
}

// allFile has every certificate of a broker, for those that read one file.
const allFile = "all.pem"

// put has a certificate in the folder that brokers read, take takes it out.
func put(folder string, e entry) error {
	if err := record.WriteFile(filepath.Join(folder, e.Thumbprint+".pem"), e.Certificate, 0o644); err != nil {
		return err
	}
	return gatherAll(folder)
}

func take(folder string, e entry) error {
	err := os.Remove(filepath.Join(folder, e.Thumbprint+".pem"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return record.NewFailure(record.RigHost, "remove certificate from", folder, err)
	}
	return gatherAll(folder)
}

func gatherAll(folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.pem"))
	if err != nil {
		return record.NewFailure(record.RigHost, "read", folder, err)
	}
	slices.Sort(names)
	var all []byte
	for _, name := range names {
		if filepath.Base(name) == allFile {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return record.NewFailure(record.RigHost, "read", name, err)
		}
		all = append(all, text...)
	}
	return record.WriteFile(filepath.Join(folder, allFile), all, 0o644)
}

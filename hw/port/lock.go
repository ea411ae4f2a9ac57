package port

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// Holder says who holds a line.
type Holder struct {
	PID   int       `json:"pid"`
	Run   string    `json:"run"`
	Since time.Time `json:"since"`
}

func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	s := fmt.Sprintf("process %d", h.PID)
	if h.Run != "" {
		s += ", run " + h.Run
	}
	return s + ", since " + h.Since.Local().Format("15:04:05")
}

// BusyError is the cause of a failure to open a line that someone holds.
type BusyError struct {
	Path   string
	Holder Holder
}

func (e *BusyError) Error() string { return "held by " + e.Holder.String() }

// Is makes errors.Is(err, ErrBusy) true.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Lease is a held lock. It ends with Release or with the process.
type Lease struct {
	Holder Holder
	lock   *flock.Flock
}

// Release gives the line free; more than once is no error.
func (l *Lease) Release() error {
	if err := l.lock.Unlock(); err != nil {
		return record.NewFailure(record.RigHost, "release lock", l.lock.Path(), err)
	}
	return nil
}

// LockDir is the folder of locks that all users of this host share.
func LockDir() string {
	const shared = "/run/lock/hilrig"
	if makeShared(shared) == nil {
		return shared
	}
	dir := filepath.Join(os.TempDir(), "hilrig-lock")
	_ = makeShared(dir) // Lock says why it cannot write there
	return dir
}

// makeShared makes a folder that everybody may write and nobody may clear.
func makeShared(dir string) error {
	if err := os.Mkdir(dir, 0o777); err == nil {
		return os.Chmod(dir, 0o777|fs.ModeSticky) // past the umask
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm()&0o002 == 0 && !writable(dir) {
		return fs.ErrPermission
	}
	return nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe")
	if err != nil {
		return false
	}
	_ = f.Close()
	return os.Remove(f.Name()) == nil
}

// Lock takes the lock of a line for this process. All names of a line
// (symbolic links) have one lock. It does not wait: a held line is a
// [BusyError]. The lock is the kernel's, so a dead holder's is free at once;
// the file's text only says who.
func Lock(dir, path, run string) (*Lease, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	name := filepath.Join(dir, strings.NewReplacer("/", "_", ":", "_", "\\", "_").Replace(strings.TrimPrefix(path, "/"))+".lock")
	l := flock.New(name, flock.SetPermissions(0o666), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	got, err := l.TryLock()
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "lock", name, reason(err)).WithCure("the lock folder must be writable for all users of this host")
	}
	if !got {
		return nil, record.NewFailure(record.RigPort, "open port", path, &BusyError{Path: path, Holder: readHolder(name)}).
			WithCure("wait for that run, or end it")
	}
	_ = os.Chmod(name, 0o666) // past the umask, where the file is ours
	lease := &Lease{Holder: Holder{PID: os.Getpid(), Run: run, Since: time.Now().UTC().Truncate(time.Second)}, lock: l}
	if err := writeHolder(l, lease.Holder); err != nil {
		_ = l.Unlock()
		return nil, record.NewFailure(record.RigHost, "write lock", name, reason(err)).WithCure("is the disk full?")
	}
	return lease, nil
}

func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readHolder reads who holds a lock; the zero Holder if that cannot be said.
func readHolder(name string) (h Holder) {
	data, err := os.ReadFile(name)
	if err == nil {
		_ = json.Unmarshal(data, &h)
	}
	return h
}

// writeHolder writes through a handle of its own: the file is locked, its text
// is only for people. It must stay the same file, so it is not replaced.
func writeHolder(l *flock.Flock, h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(l.Path(), append(data, '\n'), 0o666)
}

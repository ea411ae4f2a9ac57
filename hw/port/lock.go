package port

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"hilrig/record"
)

// Lease is a lock that is held. It ends with Release, or with the process.
type Lease struct {
	Holder Holder // this process

	lock *flock.Flock
	once sync.Once
	err  error
}

// LockDir is the folder of locks that all users of this host share:
// /run/lock/hilrig, or where that cannot be made, hilrig-lock in the folder for
// temporary files. One that is there but cannot be written is not passed over:
// its locks count, so [Lock] fails and says why.
func LockDir() string {
	const shared = "/run/lock/hilrig"
	if makeShared(shared) == nil {
		return shared
	}
	dir := filepath.Join(os.TempDir(), "hilrig-lock")
	_ = makeShared(dir) // Lock says why it cannot be written
	return dir
}

// makeShared makes a folder that everybody may write and nobody may clear.
func makeShared(dir string) error {
	switch err := os.Mkdir(dir, 0o777); {
	case err == nil:
		return os.Chmod(dir, 0o777|fs.ModeSticky) // past the umask
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fs.ErrExist
	}
	return err
}

// Lock takes the lock of a line, or of anything else with a name, for this
// process: the file <dir>/<name>.lock, whose text is the holder as JSON. All
// names of a line (symbolic links) have one lock. It does not wait: a held one
// is a failure of class rig:port with a [BusyError]; a folder that cannot be
// used is one of class rig:host. The lock is the kernel's, so a dead holder's
// is free at once, whatever the file still says.
func Lock(dir, path, run string) (*Lease, error) {
	path = realName(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, folderFailure("make lock folder", dir, err)
	}
	if err := LockFolder(dir); err != nil {
		return nil, record.NewFailure(record.RigHost, "use lock folder", dir, err).
			WithCure("sudo install -d -m 1777 " + dir + ", or another folder in its place")
	}
	name := filepath.Join(dir, lockName(path))
	l, err := tryLock(name)
	if err != nil {
		return nil, folderFailure("lock", name, err)
	}
	if l == nil {
		return nil, record.NewFailure(record.RigPort, "lock", path, &BusyError{Path: path, Holder: readHolder(name)}).
			WithCure("wait for that run, or end it")
	}
	lease := &Lease{Holder: Holder{PID: os.Getpid(), Run: run, Since: time.Now().UTC().Truncate(time.Second)}, lock: l}
	if err := lease.writeHolder(); err != nil {
		return nil, errors.Join(folderFailure("write lock", name, err), lease.Release())
	}
	return lease, nil
}

func folderFailure(step, subject string, err error) *record.Failure {
	f := record.NewFailure(record.RigHost, step, subject, reason(err))
	if errors.Is(err, ErrStrangeLock) {
		return f.WithCure("somebody has put it there: look at it, and remove it (ls -l " + subject + ")")
	}
	if errors.Is(err, fs.ErrPermission) {
		return f.WithCure("all users of this host must be able to write the lock folder: chmod 1777 " + filepath.Dir(subject))
	}
	return f
}

// reason is an error without the path that the failure already names.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// tryLock locks a file, making it if need be; nil if somebody else holds it.
// A holder removes its file when it is done, so the file that was locked may
// not be the one that the next process finds: then once more.
func tryLock(name string) (*flock.Flock, error) {
	for range 100 {
		if err := makeLockFile(name); err != nil {
			return nil, err
		}
		// Without O_CREATE: the kernel (fs.protected_regular) refuses it for
		// another user's file in a sticky folder, though it is there.
		l := flock.New(name, flock.SetFlag(os.O_RDWR|noFollow|noBlock), flock.SetPermissions(0o666))
		got, err := l.TryLock()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // removed meanwhile
		case err != nil:
			return nil, strange(name, err)
		case !got:
			return nil, nil
		}
		if info, err := l.Stat(); err == nil {
			if err := soundLock(info); err != nil {
				return nil, errors.Join(err, l.Unlock())
			}
		}
		if sameFile(l, name) {
			return l, nil
		}
		if err := l.Unlock(); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("the lock file is removed again and again")
}

// makeLockFile makes an empty file that every user may lock.
func makeLockFile(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o666), f.Close()) // past the umask
}

func sameFile(l *flock.Flock, name string) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(held, there)
}

// Release gives the lock free and removes its file; where the file is another
// user's it stays, empty. More than once is no error.
func (l *Lease) Release() error {
	l.once.Do(func() {
		name := l.lock.Path()
		if sameFile(l.lock, name) && os.Remove(name) != nil {
			_ = l.write(nil) // its text is only for people
		}
		if err := l.lock.Unlock(); err != nil {
			l.err = record.NewFailure(record.RigHost, "release lock", name, err)
		}
	})
	return l.err
}

// realName is the one name that all names of a line lead to. A name that is no
// file stands for itself.
func realName(path string) string {
	if at, network, err := parseAddress(path); network && err == nil {
		return "network " + at.String() // raw or not, it is the same line
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path
	}
	if abs, err := filepath.Abs(real); err == nil {
		return abs
	}
	return real
}

// lockName is a file name that no other line has: what is not a letter, a digit
// or one of "._-" is escaped, and what is too long ends in a hash.
func lockName(path string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(strings.TrimPrefix(path, "/")) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	name := b.String()
	if len(name) > 200 { // of the 255 that a file name may have
		sum := sha256.Sum256([]byte(path))
		name = name[:160] + "-" + hex.EncodeToString(sum[:16])
	}
	return name + lockSuffix
}

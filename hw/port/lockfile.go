package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// A lock folder is everybody's: whatever lies in it may be somebody's trap. A
// file of it is opened without following a link and without waiting, and looked
// at before a byte is read or written.

// ErrStrangeLock is what errors.Is finds where a lock is no lock file: a link, a
// FIFO, a file that has other names too.
var ErrStrangeLock = errors.New("not a lock file of hilrig")

const lockSuffix = ".lock"

// openLockFile opens a lock file that is there.
func openLockFile(name string, flag int) (*os.File, error) {
	f, err := os.OpenFile(name, flag|noFollow|noBlock, 0)
	if err != nil {
		return nil, strange(name, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = soundLock(info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// strange says what a lock is that could not be opened, and whose.
func strange(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	info, serr := os.Lstat(name)
	if serr != nil {
		return err
	}
	if odd := soundLock(info); odd != nil {
		return odd
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the lock file is %s alone (%s): %w", ownerName(info), info.Mode().Perm(), err)
	}
	return err
}

// soundLock says why this is no lock file; nil where it is one.
func soundLock(info fs.FileInfo) error {
	kind := ""
	switch m := info.Mode(); {
	case m&fs.ModeSymlink != 0:
		kind = "a link"
	case m&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case m.IsDir():
		kind = "a folder"
	case !m.IsRegular():
		kind = "no plain file"
	case m&(fs.ModeSetuid|fs.ModeSetgid) != 0 || m.Perm()&0o111 != 0:
		kind = "a program"
	default:
		if o, known := ownerOf(info); known && o.links > 1 {
			kind = "a file that has other names too"
		}
	}
	if kind == "" {
		return nil
	}
	return fmt.Errorf("%w: it is %s, %s", ErrStrangeLock, kind, ownerName(info))
}

// LockTrouble says why a line, or the device on it, cannot be locked by the
// files in dir: one of them is no lock file. Nothing is opened.
func LockTrouble(dir, path string) error {
	for _, name := range []string{path, LeaseName(path)} {
		info, err := os.Lstat(filepath.Join(dir, lockName(realName(name))))
		if err != nil {
			continue // there is none: it will be made
		}
		if odd := soundLock(info); odd != nil {
			return odd
		}
	}
	return nil
}

// StrangeLocks names what has the name of a lock in a lock folder and is none.
func StrangeLocks(dir string) (all []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		info, err := e.Info() // as Lstat has it
		if err != nil || filepath.Ext(e.Name()) != lockSuffix {
			continue // gone meanwhile, or in nobody's way
		}
		if odd := soundLock(info); odd != nil {
			all = append(all, fmt.Sprintf("%s: %s", filepath.Join(dir, e.Name()), odd))
		}
	}
	return all
}

// LockFolder says why a folder cannot hold locks that count: its owner can take
// away and replace any of them. Another user's is good enough only where it is
// open to all, as hilrig makes it.
func LockFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return reason(err)
	}
	o, known := ownerOf(info)
	trusted := !known || o.uid == 0 || int(o.uid) == os.Getuid()
	shared := info.Mode()&fs.ModeSticky != 0 && info.Mode().Perm()&0o002 != 0
	switch {
	case info.Mode()&fs.ModeSymlink != 0 && !trusted:
		return fmt.Errorf("it is a link, %s", ownerName(info))
	case info.Mode()&fs.ModeSymlink == 0 && !info.IsDir():
		return errors.New("it is no folder")
	case info.IsDir() && !trusted && !shared:
		return fmt.Errorf("it is %s (%s), who can replace every lock in it", ownerName(info), info.Mode())
	}
	return nil
}

// FolderOwner names the user whose a folder of locks is, where that is another
// than root and oneself; else it is empty.
func FolderOwner(dir string) string {
	info, err := os.Lstat(dir)
	if err != nil {
		return ""
	}
	return stranger(info)
}

// stranger names the owner of a file that is not root's and not one's own.
func stranger(info fs.FileInfo) string {
	o, known := ownerOf(info)
	if !known || o.uid == 0 || int(o.uid) == os.Getuid() {
		return ""
	}
	return nameOf(o.uid)
}

func ownerName(info fs.FileInfo) string {
	o, known := ownerOf(info)
	if !known {
		return "of an owner that cannot be told"
	}
	return "of user " + nameOf(o.uid)
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// owner is whose a file is, and how many names it has.
type owner struct {
	uid   uint32
	links uint64
}

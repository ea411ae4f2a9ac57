package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hilrig/record"
)

// linkTo puts a symbolic link to the line called port at path. It replaces a
// link that leads nowhere, or to this very line, as a killed device leaves it,
// and nothing else.
func linkTo(port, path string) error {
	stale, err := staleLink(port, path)
	switch {
	case err != nil:
		return err
	case !stale:
		return linkError(path, os.Symlink(port, path))
	}
	next := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.Symlink(port, next); err != nil {
		return linkError(path, err)
	}
	if err := os.Rename(next, path); err != nil {
		_ = os.Remove(next)
		return linkError(path, err)
	}
	return nil
}

// staleLink reports whether path is a link that may be replaced; an error, of
// class usage, says that something else is there.
func staleLink(port, path string) (bool, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, linkError(path, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return false, linkError(path, err)
		}
		if _, err := os.Stat(path); to == port || errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	return false, record.NewFailure(record.Usage, "link", path, fs.ErrExist).
		WithCure("name another --link, or remove it if nothing uses it")
}

func linkError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return record.NewFailure(record.Usage, "link", path, fs.ErrExist).WithCure("name another --link")
	case errors.Is(err, fs.ErrNotExist):
		return record.NewFailure(record.Usage, "link", path, err).WithCure("make its folder first")
	}
	return record.NewFailure(record.RigHost, "link", path, err)
}

// unlink removes the link at path if it still leads to port.
func unlink(port, path string) {
	if to, err := os.Readlink(path); err == nil && to == port {
		_ = os.Remove(path) // a link left behind leads nowhere and is replaced
	}
}

package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hilrig/record"
)

// Named reports whether a statement names a run.
func Named(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, record.Statements))
	return !errors.Is(err, fs.ErrNotExist) // in doubt it does
}

// Streams are what of a run folder Prune removes, and how many bytes they have.
func Streams(dir string) (names []string, size int64, err error) {
	for _, of := range append(Rounds(dir), dir) {
		names = append(names, record.Found(of, EventsFile)...)
		names = append(names, record.Found(of, "devices")...)
	}
	for _, name := range names {
		err = errors.Join(err, filepath.WalkDir(name, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				size += info.Size()
			}
			return err
		}))
	}
	if err != nil {
		return nil, 0, hostFailure("read", dir, err)
	}
	return names, size, nil
}

// Prune compresses the records of a run folder and removes its streams. What is
// interrupted is gone on with by the next.
func Prune(dir string) error {
	for _, of := range append(Rounds(dir), dir) {
		name := filepath.Join(of, RecordFile)
		if of != dir && !record.There(name) {
			continue // a round that never began
		}
		if err := record.Pack(name); err != nil {
			return err
		}
	}
	names, _, err := Streams(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			return hostFailure("remove", name, err)
		}
	}
	return nil
}

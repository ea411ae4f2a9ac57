package runner

import (
	"context"
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
		names = append(names, record.Found(of, record.EventsFile)...)
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

// Prune compresses the records of a run folder and removes its streams, whose
// digests it notes before: what is pruned is not edited. What is interrupted is
// gone on with by the next.
func Prune(ctx context.Context, dir string) error {
	for _, of := range append(Rounds(dir), dir) {
		name := filepath.Join(of, record.RecordFile)
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
	if err := notePruned(ctx, dir, names); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(name); err != nil {
			return hostFailure("remove", name, err)
		}
	}
	return nil
}

// notePruned adds what is going to be removed to the note of a run folder.
func notePruned(ctx context.Context, dir string, names []string) error {
	note, err := record.LoadPruned(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			of, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			note.Files[filepath.ToSlash(of)], err = record.Digest(ctx, path)
			return err
		})
		if err != nil {
			return hostFailure("read", dir, err)
		}
	}
	return note.Save(dir)
}

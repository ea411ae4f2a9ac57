package named

import (
	"errors"
	"path/filepath"
	"slices"

	"hilrig/record"
)

// Runs is the folder of a run, or those in a folder, of which there is at least
// one.
func Runs(dir string) ([]string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "find", dir, err)
	}
	if record.There(filepath.Join(abs, record.RecordFile)) {
		return []string{abs}, nil
	}
	dirs := FoldersWith(abs, record.RecordFile)
	if len(dirs) == 0 {
		return nil, record.NewFailure(record.Usage, "find run folders in", dir, errors.New("there is none")).WithCure("a run folder holds " + record.RecordFile)
	}
	return dirs, nil
}

// FoldersWith are the run folders in a folder that hold one of the files, the
// oldest first, and no link.
func FoldersWith(out string, marks ...string) []string {
	return slices.DeleteFunc(record.Found(out, "[0-9]*"), func(dir string) bool { return !holdsAny(dir, marks) })
}

func holdsAny(dir string, marks []string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return record.There(filepath.Join(dir, mark)) })
}

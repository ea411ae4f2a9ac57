package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/record"
)

// recordFile is the name of a record in its folder.
const recordFile = "run.json"

// made are the files of a run folder that are made of the others, or go away.
var made = []string{"junit.xml", "report.html", "run.lock"}

// Digests are the SHA-256 of every file of a run folder that is evidence, by
// its path with slashes.
func Digests(dir string) (map[string]string, error) {
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == record.Statements {
			return fs.SkipDir // it comes later
		}
		if !d.Type().IsRegular() || slices.Contains(made, d.Name()) {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = strings.TrimSuffix(name, record.Packed)
		sum, err := digest(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		sums[filepath.ToSlash(name)] = sum
		return nil
	})
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "read", dir, err)
	}
	return sums, nil
}

func digest(path string) (string, error) {
	if filepath.Base(path) == recordFile { // it may be kept compressed
		text, err := record.Read(path)
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:]), err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Edited are the files of a run folder that are not what they were. One that is
// gone was pruned, not edited; the record itself is never pruned.
func Edited(dir string, were map[string]string) ([]string, error) {
	var edited []string
	for _, name := range slices.Sorted(maps.Keys(were)) {
		is, err := digest(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist) && pathpkg.Base(name) == recordFile:
			edited = append(edited, name)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case is != were[name]:
			edited = append(edited, name)
		}
	}
	return edited, nil
}

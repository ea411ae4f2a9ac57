package seal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/record"
)

// made are the files of a run folder that are made of the others, come later or
// go away.
var made = []string{"junit.xml", "report.html", "run.lock", FileName, record.PrunedFile}

// Digests are the SHA-256 of every file of a run folder that is evidence, by
// its path with slashes. It ends with its context.
func Digests(ctx context.Context, dir string) (map[string]string, error) {
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
		sum, err := digest(ctx, filepath.Join(dir, name))
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

// digest is that of the text of a record where it is one: it may be kept
// compressed.
func digest(ctx context.Context, path string) (string, error) {
	if filepath.Base(path) != record.RecordFile {
		return record.Digest(ctx, path)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	text, err := record.Read(path)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// Found is what became of the files of a run folder since their digests were
// taken, each by its path with slashes.
type Found struct {
	Edited []string // are not what they were, or are gone
	Pruned []string // were taken out by pruning, as they were
	Anew   []string // records that were made anew of their events, and say what the events say
}

// Replay is the text of each record of a run folder, by its path with slashes,
// as its events say it.
type Replay func(dir string) (map[string][]byte, error)

// Folder is a run folder that is looked at: each of its files is read once,
// whatever it is held against.
type Folder struct {
	dir    string
	replay Replay
	is     map[string]digested
}

// digested is what came of reading a file.
type digested struct {
	sum string
	err error
}

// Open is a run folder as it is when its files are first asked for.
func Open(dir string, replay Replay) *Folder {
	return &Folder{dir: dir, replay: replay, is: map[string]digested{}}
}

// Knows has a file's digest from whoever has read it already: what is judged is
// what was read, whatever stands there now.
func (f *Folder) Knows(name, sum string) *Folder {
	f.is[name] = digested{sum: sum}
	return f
}

func (f *Folder) digest(ctx context.Context, name string) (string, error) {
	is, known := f.is[name]
	if !known {
		is.sum, is.err = digest(ctx, filepath.Join(f.dir, filepath.FromSlash(name)))
		if ctx.Err() == nil {
			f.is[name] = is
		}
	}
	return is.sum, is.err
}

// Hold holds the files of a run folder against digests that were taken before.
// It ends with its context. A record that differs is asked of its events, where
// those are as they were.
func (f *Folder) Hold(ctx context.Context, were map[string]string) (found Found, err error) {
	pruned, err := record.LoadPruned(f.dir)
	if err != nil {
		return found, err
	}
	for _, name := range slices.Sorted(maps.Keys(were)) {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			found.Edited = append(found.Edited, name)
			continue
		}
		is, err := f.digest(ctx, name)
		switch {
		case ctx.Err() != nil:
			return found, record.NewFailure(record.RigHost, "read", f.dir, ctx.Err())
		case err == nil && is == were[name]:
		case errors.Is(err, fs.ErrNotExist) && pathpkg.Base(name) != record.RecordFile && pruned.Files[name] == were[name]:
			found.Pruned = append(found.Pruned, name)
		case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, record.ErrNoFile), record.ClassOf(err) == record.Usage:
			found.Edited = append(found.Edited, name)
		default:
			return found, record.NewFailure(record.RigHost, "read", "", err)
		}
	}
	f.tellAnew(&found, were)
	return found, nil
}

// tellAnew takes the records out of what was edited that say what their events
// say: a record is made of its events and of nothing else.
func (f *Folder) tellAnew(found *Found, were map[string]string) {
	events := 0
	for name := range were {
		if pathpkg.Base(name) == record.EventsFile {
			events++
		}
	}
	differs := func(name string) bool { return pathpkg.Base(name) == record.RecordFile }
	if !slices.ContainsFunc(found.Edited, differs) || events == 0 ||
		slices.ContainsFunc(slices.Concat(found.Edited, found.Pruned), func(name string) bool { return pathpkg.Base(name) == record.EventsFile }) {
		return
	}
	said, err := f.replay(f.dir)
	if err != nil {
		return // the events say less, and the record is another
	}
	found.Edited = slices.DeleteFunc(found.Edited, func(name string) bool {
		if !differs(name) {
			return false
		}
		is, sum := f.is[name], sha256.Sum256(said[name])
		same := is.err == nil && said[name] != nil && is.sum == hex.EncodeToString(sum[:])
		if same {
			found.Anew = append(found.Anew, name)
		}
		return same
	})
}

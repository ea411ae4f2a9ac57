package runner

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"hilrig/record"
)

// newRunID makes an id that sorts by time and that two runs of one second do
// not share.
func newRunID(started time.Time) string {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return started.UTC().Format("20060102T150405Z-") + hex.EncodeToString(b[:])
}

// makeRunFolder makes the folder of a new run below out and points out/latest
// at it. Errors are the host's: unwritable, full.
func makeRunFolder(out string, started time.Time) (id, dir string, err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", "", hostFailure("make output folder", out, err)
	}
	for range 16 { // an id is taken only if another run began in the same second and drew the same 16 bits
		id = newRunID(started)
		dir = filepath.Join(out, id)
		if err = os.Mkdir(dir, 0o755); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", "", hostFailure("make run folder in", out, err)
	}
	if err := pointLatest(out, id); err != nil {
		return "", "", err
	}
	return id, dir, nil
}

// pointLatest replaces the link out/latest in one step: a reader finds the old
// run or the new one.
func pointLatest(out, id string) error {
	if runtime.GOOS == "windows" {
		return nil // a link takes a privilege there; readers fall back on the newest id
	}
	link, fresh := filepath.Join(out, "latest"), filepath.Join(out, ".latest-"+id)
	if st, err := os.Lstat(link); err == nil && st.Mode()&fs.ModeSymlink == 0 {
		return hostFailure("replace link", link, fmt.Errorf("it is no link, and not ours to remove"))
	}
	if err := os.Symlink(id, fresh); err != nil {
		return hostFailure("make link", link, err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return hostFailure("replace link", link, errors.Join(err, os.Remove(fresh)))
	}
	return nil
}

func hostFailure(step, subject string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the subject names the path
	}
	return record.NewFailure(record.RigHost, step, subject, err).WithCure("is the disk full, or the folder not yours? --out names another")
}

// Rounds are the folders of the rounds of a run of several.
func Rounds(dir string) []string { return record.Found(dir, "round-*") }

// roundDir is the folder of round n (from 1) of a run of several.
func roundDir(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("round-%02d", n)) }

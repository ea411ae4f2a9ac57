package history

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	pathpkg "path"
	"path/filepath"
	"slices"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/history"
	"hilrig/reports/seal"
	"hilrig/runner"
)

// takeIn enters runs into the history, the oldest first. One that cannot be
// read does not keep the others out.
func (a verbs) takeIn(ctx context.Context, dirs []string) (err error) {
	state, err := runner.StateDir()
	if err != nil {
		return err
	}
	h, err := history.Open(ctx, state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	slices.SortFunc(dirs, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
	})
	n := 0
	var errs []error
	for _, dir := range slices.Compact(dirs) {
		rec, text, err := runner.LoadText(dir)
		switch {
		case err == nil && rec.Run.UnderWay:
			continue // its own supervisor tells of it
		case err == nil:
			err = a.enter(ctx, h, dir, rec, text)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n++
	}
	fmt.Fprintf(a.Out, "%s in the history\n", wording.Plural(n, "run"))
	return errors.Join(errs...)
}

// enter puts a run into the history, with the digests of its files where it has
// none: those of its end stay, and a night's streams are long to read. So does
// what the history was told of a run whose record is not that of its end: it may
// have been edited to be of another firmware, or be another host's.
func (a verbs) enter(ctx context.Context, h *history.History, dir string, r *record.Record, text []byte) error {
	known, err := h.Find(ctx, r.Run.ID)
	if err != nil {
		return err
	}
	if known == nil || len(known.Files) == 0 {
		if known != nil && (known.Host != r.Run.Host || known.Started.UnixMilli() != r.Run.Started.UnixMilli()) {
			return record.NewFailure(record.Usage, "enter run", dir, fmt.Errorf("the history has another run %s, which began on host %s at %s", r.Run.ID, known.Host, known.Started.Format(time.RFC3339)))
		}
		files, err := seal.Digests(ctx, dir)
		if err != nil {
			return err
		}
		return h.Ended(ctx, dir, r, files)
	}
	same, err := asItEnded(ctx, dir, text, known.Files)
	if err != nil {
		return err
	}
	if !same {
		a.Log.Warn("the history keeps what it was told of this run: its record is not that of its end", "run", r.Run.ID, "folder", dir)
		return nil
	}
	return h.Ended(ctx, dir, r, nil)
}

// asItEnded reports whether a record is the one that a run had when it ended, or
// one that was made anew of its events.
func asItEnded(ctx context.Context, dir string, text []byte, end map[string]string) (bool, error) {
	sum := sha256.Sum256(text)
	if end[record.RecordFile] == hex.EncodeToString(sum[:]) {
		return true, nil
	}
	said := map[string]string{}
	for name, sum := range end {
		if base := pathpkg.Base(name); base == record.RecordFile || base == record.EventsFile {
			said[name] = sum
		}
	}
	found, err := seal.Open(dir, runner.Replay).Hold(ctx, said)
	return slices.Contains(found.Anew, record.RecordFile), err
}

package history

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hilrig/record"
)

// FileName is the database in the state folder.
const FileName = "history.db"

//go:embed format1.sql
var first string

//go:embed format2.sql
var second string

//go:embed format3.sql
var third string

// formats lead from one version of the tables to the next, the first from none.
func formats() []string {
	return []string{first, second + atRigs("run.seq"), third + totals("1")}
}

// lockWait bounds how long a statement waits for another process.
const lockWait = 2 * time.Second

// History is an open database. It is safe for concurrent use.
type History struct {
	db   *sql.DB
	path string
}

// Open opens the history of a state folder, and makes it where there is none.
func Open(ctx context.Context, stateDir string) (*History, error) {
	return open(ctx, filepath.Join(stateDir, FileName), "rwc")
}

// OpenExisting opens the history of a state folder; its error is
// [fs.ErrNotExist] where there is none.
func OpenExisting(ctx context.Context, stateDir string) (*History, error) {
	path := filepath.Join(stateDir, FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, record.NewFailure(record.RigHost, "open history", "", err)
	}
	return open(ctx, path, "rw")
}

func open(ctx context.Context, path, mode string) (*History, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, failure("open", path, err)
	}
	db.SetMaxOpenConns(1) // one process tells or asks one thing at a time
	h := &History{db, path}
	if err := h.prepare(ctx); err != nil {
		return nil, errors.Join(failure("open", path, err), db.Close())
	}
	return h, nil
}

// prepare makes the tables of a new database, brings those of an earlier hilrig
// up to date, and refuses those of a later one and what is damaged.
func (h *History) prepare(ctx context.Context) error {
	steps := formats()
	return h.change(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if version > len(steps) {
			return fmt.Errorf("%w: format %d; this hilrig knows up to %d", errLater, version, len(steps))
		}
		for ; version < len(steps); version++ {
			if _, err := tx.ExecContext(ctx, steps[version]+fmt.Sprintf("PRAGMA user_version = %d;", version+1)); err != nil {
				return err
			}
		}
		var runs int
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM run").Scan(&runs)
	})
}

// Check looks through the whole database for damage.
func (h *History) Check(ctx context.Context) error {
	var says string
	err := h.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&says)
	if err == nil && says != "ok" {
		err = errors.New(says)
	}
	if err != nil {
		return failure("check", h.path, err)
	}
	return nil
}

// Close closes the database.
func (h *History) Close() error { return h.db.Close() }

// change does several things at once, or none of them.
func (h *History) change(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func failure(step, path string, err error) error {
	f := record.NewFailure(record.RigHost, step+" history", path, err)
	var of *sqlite.Error
	if errors.As(err, &of) && slices.Contains([]int{sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}, of.Code()&0xff) {
		return f.WithCure("whoever asks it must be allowed to write in this folder, as SQLite does for its readers too")
	}
	return f.
		WithCure("runs go on without it, and their folders hold all; hilrig history rebuild makes it anew, of the folders and of what can still be read of it")
}

// errLater is of a history that a later hilrig has written.
var errLater = errors.New("it is a later hilrig's")

// Sound reports whether an error says nothing against the history itself: it was
// not to be had, not written, or not read to its end, or is a later hilrig's.
func Sound(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errLater) {
		return true
	}
	var of *sqlite.Error
	if !errors.As(err, &of) || of.Code() == sqlite3.SQLITE_IOERR_SHORT_READ {
		return false
	}
	return slices.Contains([]int{
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM,
	}, of.Code()&0xff)
}

// Renew puts a new history in the place of one that is damaged, of what can
// still be read of it, and says of how many runs, and where the damaged one is
// now. One that does not come to its end leaves the old one where it was.
func Renew(ctx context.Context, stateDir string, now time.Time) (aside string, runs int, err error) {
	path := filepath.Join(stateDir, FileName)
	fresh, err := os.MkdirTemp(stateDir, ".history-")
	if err != nil {
		return "", 0, failure("renew", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if runs, err = Salvage(ctx, path, fresh); err != nil {
		return "", 0, err
	}
	if aside, err = SetAside(stateDir, now); err != nil {
		return "", 0, err
	}
	if err := os.Rename(filepath.Join(fresh, FileName), path); err != nil {
		return aside, 0, failure("renew", path, err)
	}
	return aside, runs, nil
}

// SetAside puts a history that cannot be opened out of the way and says where
// it is now; empty: there was none.
func SetAside(stateDir string, now time.Time) (string, error) {
	path := filepath.Join(stateDir, FileName)
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	err := os.Rename(path, aside)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", failure("set aside", path, err)
	}
	for _, beside := range []string{"-wal", "-shm"} { // they belong to it
		if err := os.Rename(path+beside, aside+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", failure("set aside", path+beside, err)
		}
	}
	return aside, nil
}

package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/reports/history"
)

// A history that cannot be had, or read to its end, is sound: rebuild leaves it
// where it is.
func TestRebuildSetsNoSoundHistoryAside(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(t *testing.T, ctx context.Context, db *sql.DB, path string) context.Context
	}{
		{"another process has it", func(t *testing.T, ctx context.Context, db *sql.DB, _ string) context.Context {
			if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
				t.Fatal(err)
			}
			return ctx
		}},
		{"somebody interrupts", func(_ *testing.T, ctx context.Context, _ *sql.DB, _ string) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}},
		{"a later hilrig has written it", func(t *testing.T, ctx context.Context, db *sql.DB, _ string) context.Context {
			if _, err := db.ExecContext(ctx, "PRAGMA user_version = 99"); err != nil {
				t.Fatal(err)
			}
			return ctx
		}},
		{"it is in a folder that says no", func(t *testing.T, ctx context.Context, db *sql.DB, path string) context.Context {
			if err := errors.Join(db.Close(), os.Rename(path, path+".there"), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
			return ctx
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			state := t.TempDir()
			t.Setenv("HILRIG_STATE", state)
			h, err := history.Open(t.Context(), state)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(state, history.FileName)
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			db.SetMaxOpenConns(1)
			defer func() { _ = db.Close() }() // of the test alone
			a := verbs{&verb.App{Out: io.Discard, Log: slog.New(slog.DiscardHandler)}}
			if err := a.rebuild(c.change(t, t.Context(), db, path), filepath.Join(state, "out")); err == nil || !history.Sound(err) {
				t.Errorf("%v", err)
			}
			aside, err := filepath.Glob(path + ".damaged-*")
			if _, gone := os.Stat(path); errors.Join(err, gone) != nil || len(aside) > 0 {
				t.Errorf("set aside: %v %v %v", aside, err, gone)
			}
		})
	}
}

// A damaged history gives up what can be read of it: a run whose folder is gone
// stays known.
func TestRebuildKeepsWhatADamagedHistoryStillSays(t *testing.T) {
	state := t.TempDir()
	t.Setenv("HILRIG_STATE", state)
	h, err := history.Open(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 20, 0, 0, 0, time.UTC)
	for i := range 40 {
		r := &record.Record{Run: record.Run{ID: fmt.Sprint("run-", i), Host: "lab", Rig: "bench", Started: at.AddDate(0, 0, i), Ended: at.AddDate(0, 0, i)}}
		r.Devices = []record.DeviceRecord{{Name: "a", Type: "ads300", Specs: []record.SpecResult{{ID: "tls/version", Verdict: record.Pass, Message: strings.Repeat("long ", 30)}}}}
		if err := h.Ended(t.Context(), "gone", r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(state, history.FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(text[len(text)-4096:], make([]byte, 4096)) // results
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	a := verbs{&verb.App{Out: io.Discard, Log: slog.New(slog.DiscardHandler)}}
	if err := a.rebuild(t.Context(), filepath.Join(state, "out")); err != nil {
		t.Error(err)
	}
	if h, err = history.OpenExisting(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	all, err := h.Runs(t.Context(), 0)
	if err := errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	if aside, err := filepath.Glob(path + ".damaged-*"); err != nil || len(aside) == 0 || len(all) != 40 {
		t.Errorf("set aside: %v %v; %d runs", aside, err, len(all))
	}
}

// Another host's run does not take the place of a killed one of the same id.
func TestARunIsNotTakenForAnotherOfItsID(t *testing.T) {
	state, out := t.TempDir(), t.TempDir()
	t.Setenv("HILRIG_STATE", state)
	at := time.Date(2026, 11, 1, 20, 0, 0, 0, time.UTC)
	r := &record.Record{Schema: record.Schema, Run: record.Run{ID: "20261101T200000Z-0001", Host: "lab", Started: at}}
	h, err := history.Open(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Begun(t.Context(), "gone", r), h.Close()); err != nil {
		t.Fatal(err)
	}
	a := verbs{&verb.App{Out: io.Discard, Log: slog.New(slog.DiscardHandler)}}
	for _, c := range []struct {
		host string
		want record.Class
	}{{"lab-2", record.Usage}, {"lab", ""}} {
		dir := filepath.Join(out, c.host)
		r.Run.Host, r.Run.Ended = c.host, at.Add(time.Hour)
		if err := errors.Join(os.Mkdir(dir, 0o700), r.Save(filepath.Join(dir, record.RecordFile))); err != nil {
			t.Fatal(err)
		}
		if err := a.takeIn(t.Context(), []string{dir}); record.ClassOf(err) != c.want {
			t.Errorf("%s: %v", c.host, err)
		}
	}
}

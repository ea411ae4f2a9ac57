package cli

import (
	"database/sql"
	"errors"
	"fmt"
	"hilrig/record"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/reports/history"
)

// A history that another process has is sound: rebuild leaves it where it is.
func TestRebuildSetsNoHistoryAsideThatAnotherHas(t *testing.T) {
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
	holder, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	holder.SetMaxOpenConns(1)
	defer func() { _ = holder.Close() }() // of the test alone
	if _, err := holder.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	a := &app{out: io.Discard, log: slog.New(slog.DiscardHandler)}
	if err := a.rebuildHistory(t.Context(), filepath.Join(state, "out")); !history.Busy(err) {
		t.Errorf("%v", err)
	}
	aside, err := filepath.Glob(path + ".damaged-*")
	if _, gone := os.Stat(path); errors.Join(err, gone) != nil || len(aside) > 0 {
		t.Errorf("set aside: %v %v %v", aside, err, gone)
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
	a := &app{out: io.Discard, log: slog.New(slog.DiscardHandler)}
	if err := a.rebuildHistory(t.Context(), filepath.Join(state, "out")); err != nil {
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

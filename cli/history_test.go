package cli

import (
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

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

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"hilrig/record/wording"
	"hilrig/reports/gate"
	"hilrig/reports/history"
	"hilrig/runner"
)

// fromHistory adds what the history knows: of the runs given whether they are
// as they were, and every run of the firmware that was not given. Where it
// cannot be asked, the question says so.
func fromHistory(ctx context.Context, q *gate.Question) {
	ctx, cancel := context.WithTimeout(ctx, historyBound)
	defer cancel()
	if err := askHistory(ctx, q); err != nil {
		q.NoHistory = oneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			q.NoHistory = "there is no history on this host (hilrig history import makes one of run folders)"
		}
	}
}

func askHistory(ctx context.Context, q *gate.Question) (err error) {
	state, err := runner.StateDirName()
	if err != nil {
		return err
	}
	h, err := history.OpenExisting(ctx, state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	given := map[string]bool{}
	for i := range q.Runs {
		given[q.Runs[i].ID] = true
		if err := compareWith(ctx, h, &q.Runs[i]); err != nil {
			return err
		}
	}
	w, _ := q.Judged()
	known, err := h.Of(ctx, w.Version, w.SHA256)
	if err != nil {
		return err
	}
	for _, k := range known {
		if given[k.ID] || k.Hardware == 0 && !q.Policy.Evidence.Emulated {
			continue
		}
		r := readRun(k.Dir)
		r.ID, r.Began = k.ID, k.Started
		if r.Record != nil && r.Record.Run.ID != k.ID {
			r.Record, r.Damage = nil, "its folder holds another run"
		}
		if err := setEdited(k, &r); err != nil {
			return err
		}
		q.Runs = append(q.Runs, r)
	}
	missing, err := h.Missing(ctx)
	if err == nil && missing > 0 {
		err = fmt.Errorf("%s of its runs were taken out", wording.Plural(missing, "row"))
	}
	return err
}

// compareWith says of a run that is given what the history knows of it.
func compareWith(ctx context.Context, h *history.History, r *gate.Run) error {
	k, err := h.Find(ctx, r.ID)
	if err != nil {
		return err
	}
	if k == nil {
		r.Unknown = true
		return nil
	}
	return setEdited(*k, r)
}

func setEdited(k history.Run, r *gate.Run) (err error) {
	r.ClockBack = k.ClockBack
	if r.Record == nil {
		return nil
	}
	if r.Edited, err = history.Edited(r.Dir, k.Files); err != nil {
		return fmt.Errorf("hold %s against the history: %w", filepath.Base(r.Dir), err)
	}
	return nil
}

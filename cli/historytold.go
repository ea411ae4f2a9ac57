package cli

import (
	"context"
	"errors"
	"time"

	"hilrig/record"
	"hilrig/reports/history"
	"hilrig/reports/seal"
)

// announce tells the history of a run that begins. A history that cannot be
// told keeps no run from being run.
func (a *app) announce(stateDir, dir string, r *record.Record) {
	a.withHistory(stateDir, func(ctx context.Context, h *history.History) error { return h.Begun(ctx, dir, r) })
}

// evidenceBound bounds what a run reads of its own evidence when it has ended.
const evidenceBound = 10 * time.Minute

// remember tells the history what a run has found, and returns the digests of
// its files; nil where they cannot be read.
func (a *app) remember(stateDir, dir string, r *record.Record) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), evidenceBound)
	defer cancel()
	files, err := seal.Digests(ctx, dir)
	if err != nil {
		a.notTold(err)
		return nil
	}
	a.withHistory(stateDir, func(ctx context.Context, h *history.History) error { return h.Ended(ctx, dir, r, files) })
	return files
}

func (a *app) withHistory(stateDir string, say func(context.Context, *history.History) error) {
	ctx, cancel := context.WithTimeout(context.Background(), historyBound)
	defer cancel()
	h, err := history.Open(ctx, stateDir)
	if err == nil {
		err = errors.Join(say(ctx, h), h.Close())
	}
	if err != nil {
		a.notTold(err)
	}
}

func (a *app) notTold(err error) { a.Log.Warn("the history was not told of this run", "err", err) }

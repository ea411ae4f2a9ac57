package past

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hilrig/record"
	"hilrig/reports/history"
	"hilrig/reports/seal"
)

// Begun tells the history of a run that begins. A history that cannot be
// told keeps no run from being run.
func Begun(log *slog.Logger, stateDir, dir string, r *record.Record) {
	tell(log, stateDir, func(ctx context.Context, h *history.History) error { return h.Begun(ctx, dir, r) })
}

// evidenceBound bounds what a run reads of its own evidence when it has ended.
const evidenceBound = 10 * time.Minute

// Ended tells the history what a run has found, and returns the digests of
// its files; nil where they cannot be read.
func Ended(log *slog.Logger, stateDir, dir string, r *record.Record) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), evidenceBound)
	defer cancel()
	files, err := seal.Digests(ctx, dir)
	if err != nil {
		notTold(log, err)
		return nil
	}
	tell(log, stateDir, func(ctx context.Context, h *history.History) error { return h.Ended(ctx, dir, r, files) })
	return files
}

func tell(log *slog.Logger, stateDir string, say func(context.Context, *history.History) error) {
	ctx, cancel := context.WithTimeout(context.Background(), Bound)
	defer cancel()
	h, err := history.Open(ctx, stateDir)
	if err == nil {
		err = errors.Join(say(ctx, h), h.Close())
	}
	if err != nil {
		notTold(log, err)
	}
}

func notTold(log *slog.Logger, err error) {
	log.Warn("the history was not told of this run", "err", err)
}

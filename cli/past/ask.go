package past

import (
	"context"
	"errors"
	"time"

	"hilrig/reports/history"
	"hilrig/runner"
)

// Bound is how long a run or a gate waits for the history. Evidence is read
// beside it: how long that takes is a matter of its size.
const Bound = 10 * time.Second

// Ask asks the history of this host, no longer than a bound; where there is none
// the error is [fs.ErrNotExist].
func Ask[T any](ctx context.Context, bound time.Duration, ask func(context.Context, *history.History) (T, error)) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	state, err := runner.StateDirName()
	if err != nil {
		return answer, err
	}
	h, err := history.OpenExisting(ctx, state)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return ask(ctx, h)
}

//go:build !wip

package suites

import (
	"context"
	"fmt"
	"log/slog"

	"hilrig/fixtures"
	"hilrig/record"
)

// Run runs the job's specs on its device and hands every event to out, in
// order. It returns an error only when it could not begin; everything later is
// in the events. When soft ends the run stops after the current step, when
// hard ends at once; clean-up runs either way, with a deadline of its own.
func Run(soft, hard context.Context, job fixtures.Job, log *slog.Logger, out func(record.Event)) error {
	return record.NewFailure(record.Harness, "run", job.Device.Name, fmt.Errorf("not there yet"))
}

// All is the catalogue.
func All() []fixtures.Spec { return nil }

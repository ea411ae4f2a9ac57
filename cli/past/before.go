package past

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"hilrig/record"
	"hilrig/reports/compare"
	"hilrig/reports/history"
	"hilrig/reports/html"
	"hilrig/runner"
)

// earlierBound bounds what a report waits for the history.
const earlierBound = 5 * time.Second

// Before is what the history knows from before a run, for its report. A report
// is made without it where it cannot be asked.
func Before(log *slog.Logger, dir string, r *record.Record) *html.Earlier {
	if r.OfSelftest() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), earlierBound)
	defer cancel()
	state, err := runner.StateDirName()
	if err != nil {
		return nil
	}
	h, err := history.OpenExisting(ctx, state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var before *history.Before
	if err == nil {
		before, err = h.Before(ctx, r)
		err = errors.Join(err, h.Close())
	}
	if err != nil {
		log.Warn("report.html does not say what was before this run", "err", err)
		return nil
	}
	return earlierOf(before, dir, r)
}

func earlierOf(before *history.Before, dir string, r *record.Record) *html.Earlier {
	e := &html.Earlier{Tails: before.Tail}
	if before.Last == nil {
		return e
	}
	now, faulty := *r, 0
	for _, d := range r.Devices {
		if len(d.Faults) > 0 {
			faulty++
		}
	}
	now.Devices = slices.DeleteFunc(slices.Clone(r.Devices), func(d record.DeviceRecord) bool { return before.Last.Device(d.Name) == nil })
	for i := range now.Devices {
		now.Devices[i].Cause = "" // the history knows of none: what was wrong with a device as a whole cannot be compared
	}
	c := compare.Runs(before.Last, &now)
	e.Since = &html.Since{
		ID: before.Last.Run.ID, Started: before.Last.Run.Started, Firmware: before.Firmware, Report: Reports(dir)(before.Dir), Missing: len(r.Devices) - len(now.Devices) - faulty, Faulty: faulty,
		Groups: []html.SinceGroup{{Title: "Newly red", Changes: changesOf(c.NewlyRed)}, {Title: "Newly not run", Changes: changesOf(c.NewlyNotRun)}, {Title: "Newly green", Changes: changesOf(c.NewlyGreen)}},
	}
	return e
}

// changesOf gathers the devices on which a spec changed in the same way.
func changesOf(all []compare.Change) (gathered []html.SinceChange) {
	at := map[html.SinceKind]int{}
	for _, ch := range all {
		k := html.SinceKind{Spec: ch.Spec, Before: ch.Before, After: ch.After}
		i, known := at[k]
		if !known {
			i = len(gathered)
			at[k] = i
			gathered = append(gathered, html.SinceChange{SinceKind: k})
		}
		gathered[i].Devices = append(gathered[i].Devices, ch.Device)
	}
	return gathered
}

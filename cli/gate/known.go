package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"hilrig/cli/named"
	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/gate"
	"hilrig/reports/history"
)

// fromHistory adds what the history knows: of the runs given whether they are
// as they were, and every run of the firmware that was not given. Where it
// cannot be asked, the question says so. It returns the digests of each run's
// files as they were when it ended.
func fromHistory(ctx context.Context, q *gate.Question, out string) (ends map[string]map[string]string) {
	ends = map[string]map[string]string{}
	k, err := askHistory(ctx, q)
	if err == nil {
		k.add(q, ends)
		k.addBeside(q, out)
		err = k.lack
	}
	if err != nil {
		q.NoHistory = terminal.OneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			q.NoHistory = noHistory
		}
	}
	return ends
}

const noHistory = "there is no history on this host (hilrig history import makes one of run folders)"

// knownRuns is what the history says of a question.
type knownRuns struct {
	given  []*history.Run       // as the question has them; nil: it does not know the run
	others []history.Run        // of the firmware, and not given
	ids    map[string]bool      // of all that it knows
	since  map[string]time.Time // by host: from when on it should know all
	lack   error                // why it does not know all
}

// askHistory asks for all at once: evidence may take longer to read than a
// history may take to answer.
func askHistory(ctx context.Context, q *gate.Question) (knownRuns, error) {
	return past.Ask(ctx, past.Bound, func(ctx context.Context, h *history.History) (knownRuns, error) { return known(ctx, h, q) })
}

func known(ctx context.Context, h *history.History, q *gate.Question) (k knownRuns, err error) {
	taken := map[string]bool{}
	for _, r := range q.Runs {
		taken[r.ID] = true
		was, err := h.Find(ctx, r.ID)
		if err != nil {
			return k, err
		}
		k.given = append(k.given, was)
	}
	w, _ := q.Judged()
	for _, name := range append(q.Names(), w) {
		of, err := h.Of(ctx, name.Version, name.SHA256)
		if err != nil {
			return k, err
		}
		for _, r := range of {
			if name != w && r.Version != "" && r.SHA256 != "" {
				continue // it has both names: it is of another image, or found by its own
			}
			if !taken[r.ID] && (r.Hardware > 0 || q.Policy.Evidence.Emulated) {
				taken[r.ID] = true // once
				k.others = append(k.others, r)
			}
		}
	}
	if k.ids, err = h.IDs(ctx); err != nil {
		return k, err
	}
	if k.since, err = h.Since(ctx); err != nil {
		return k, err
	}
	missing, err := h.Missing(ctx)
	if err == nil && missing > 0 {
		err = fmt.Errorf("%s of its runs were taken out", wording.Plural(missing, "row"))
	}
	k.lack = err
	return k, nil
}

// readUnlisted reads a run that the history has named.
func readUnlisted(r *gate.Run) {
	is := readRun(r.Dir)
	r.Record, r.Damage, r.SHA256 = is.Record, is.Damage, is.SHA256
	if r.Record != nil && r.Record.Run.ID != r.ID {
		r.Record, r.Damage = nil, "its folder holds another run"
	}
}

// add adds to a question what the history knows, and the digests beside.
func (k knownRuns) add(q *gate.Question, ends map[string]map[string]string) {
	for i, was := range k.given {
		if was == nil {
			q.Runs[i].Unknown = true
			continue
		}
		q.Runs[i].ClockBack, ends[was.ID] = was.ClockBack, was.Files
	}
	for _, was := range k.others {
		ends[was.ID] = was.Files
		q.Runs = append(q.Runs, gate.Run{ID: was.ID, Dir: was.Dir, Began: was.Started, ClockBack: was.ClockBack})
	}
}

// addBeside adds the runs that lie in the output folder and that the history does
// not know, though it was there when they began: it may have been locked, or its
// disk full.
func (k knownRuns) addBeside(q *gate.Question, out string) {
	given := map[string]bool{}
	for _, r := range q.Runs {
		given[r.Dir] = true
	}
	var dirs []string
	for _, dir := range named.FoldersWith(out, record.RecordFile, record.EventsFile) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil && !given[real] && !k.ids[filepath.Base(dir)] {
			dirs = append(dirs, real)
		}
	}
	found := make([]gate.Run, len(dirs))
	_ = sideBySide(len(dirs), func(i int) error { // one that is damaged is damaged
		found[i] = readRun(dirs[i])
		return nil
	})
	for _, r := range found {
		if k.shouldKnow(&r) && (r.Record == nil || q.Policy.Evidence.Emulated || onHardware(r.Record)) {
			r.Unknown = true
			q.Runs = append(q.Runs, r)
		}
	}
}

// shouldKnow reports whether a run of this history's hosts began after it did.
func (k knownRuns) shouldKnow(r *gate.Run) bool {
	if r.Record != nil {
		since, told := k.since[r.Record.Run.Host]
		return told && !k.ids[r.ID] && r.Record.Run.Started.After(since)
	}
	st, err := os.Stat(r.Dir)
	if err != nil {
		return false
	}
	r.Began = st.ModTime()
	return slices.ContainsFunc(slices.Collect(maps.Values(k.since)), r.Began.After)
}

func onHardware(r *record.Record) bool {
	return slices.ContainsFunc(r.Devices, func(d record.DeviceRecord) bool { return !d.Emulated })
}

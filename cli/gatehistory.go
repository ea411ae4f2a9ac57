package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"hilrig/cli/terminal"
	"hilrig/record/wording"
	"hilrig/reports/gate"
	"hilrig/reports/history"
)

// fromHistory adds what the history knows: of the runs given whether they are
// as they were, and every run of the firmware that was not given. Where it
// cannot be asked, the question says so. It returns the digests of each run's
// files as they were when it ended.
func fromHistory(ctx context.Context, q *gate.Question) (ends map[string]map[string]string) {
	ends = map[string]map[string]string{}
	k, err := askHistory(ctx, q)
	if err == nil {
		k.add(q, ends)
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
	given  []*history.Run // as the question has them; nil: it does not know the run
	others []history.Run  // of the firmware, and not given
	lack   error          // why it does not know all
}

// askHistory asks for all at once: evidence may take longer to read than a
// history may take to answer.
func askHistory(ctx context.Context, q *gate.Question) (knownRuns, error) {
	return inHistory(ctx, historyBound, func(ctx context.Context, h *history.History) (knownRuns, error) { return known(ctx, h, q) })
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

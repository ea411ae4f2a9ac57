package named

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// Run is the folder of a run: a run folder, a run id, latest, or latest~N,
// the Nth before it; the two last are of the runs in out. With lost, a run whose
// record is lost is found by its events.
func Run(out, run string, lost bool) (string, error) {
	marks := []string{record.RecordFile}
	if lost {
		marks = append(marks, record.EventsFile)
	}
	for _, dir := range []string{run, filepath.Join(out, run)} {
		if holdsAny(dir, marks) {
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				return real, nil // reports name the run, not the link
			}
			return dir, nil
		}
	}
	runs := FoldersWith(out, marks...)
	if back, ok := beforeLatest(run); ok && back < len(runs) {
		return runs[len(runs)-1-back], nil
	}
	missing := record.NewFailure(record.Usage, "find run", run, fmt.Errorf("neither a run folder nor a run of %s", out))
	if _, ok := beforeLatest(run); ok {
		return "", missing.WithCure(oldest(len(runs)))
	}
	known := []string{"latest"}
	for _, name := range runs {
		known = append(known, filepath.Base(name))
	}
	return "", missing.WithCure(cmp.Or(wording.DidYouMean(run, known), "a run folder holds "+strings.Join(marks, " or ")))
}

// oldest says how far back one may ask where there are so many runs.
func oldest(runs int) string {
	switch runs {
	case 0:
		return "it holds no run yet: hilrig run makes one, and --out names another folder"
	case 1:
		return "it holds one run: latest"
	}
	return fmt.Sprintf("it holds %d runs: the oldest is latest~%d", runs, runs-1)
}

// beforeLatest is how many runs before the latest is meant.
func beforeLatest(run string) (back int, ok bool) {
	if run == "latest" {
		return 0, true
	}
	digits, ok := strings.CutPrefix(run, "latest~")
	back, err := strconv.Atoi(digits)
	return back, ok && err == nil && back >= 0
}

package cli

import (
	"path/filepath"

	"hilrig/cli/named"
	"hilrig/cli/view"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

// progress picks how a run is shown. Earlier runs are in out.
func (a *app) progress(p *runner.Plan, out string, asJSON bool) view.View {
	if asJSON {
		return view.NewStream(a.Out)
	}
	to := view.Streams{Out: a.Out, Err: a.Err, LogTo: a.LogTo, Log: a.Log}
	return view.New(to, p, func() *record.Record { return lastLike(out, p) })
}

// fewRuns bounds how many runs are read to find one that was asked the same.
const fewRuns = 5

// lastLike is the last run in a folder of runs that was asked the same of the
// same rig, and ended; nil: none of the last few, or no folder is named.
func lastLike(out string, p *runner.Plan) *record.Record {
	if out == "" {
		return nil
	}
	runs := named.FoldersWith(out, record.RecordFile)
	for i := len(runs) - 1; i >= max(0, len(runs)-fewRuns); i-- {
		r, err := record.Load(filepath.Join(runs[i], record.RecordFile))
		if err == nil && r.Run.Rig == p.Rig && r.Run.Verdict != record.NotRun && wording.Selection(r.Run.Selection) == wording.Selection(p.Selected) {
			return r
		}
	}
	return nil
}

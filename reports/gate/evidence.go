package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"hilrig/record"
	"hilrig/record/wording"
)

// Run is a run with what is known of it beside its record.
type Run struct {
	ID        string
	Dir       string         // its folder
	Given     bool           // named by whoever asks; else the history knows it
	Began     time.Time      // as the history has it
	Record    *record.Record // nil: it cannot be read
	Damage    string         // why it cannot
	SHA256    string         // of run.json
	Edited    []string       // files that are not what they were when the run ended
	Unknown   bool           // the history does not know it
	Unsealed  string         // why no key that counts has sealed it as it is; empty: one has
	BadSeal   string         // what is wrong with the seal that it has
	ClockBack bool           // it began, by its own clock, before one that began earlier

	twice string // what is there twice and may be there but once
}

// entry is one device of a run: what it says counts as a whole or not at all.
type entry struct {
	run   *Run
	dev   *record.DeviceRecord
	board *board
	why   string // why it does not count; empty: it does
	none  bool   // it says nothing of any firmware: faulty on purpose, emulated
}

// future is how far ahead of us the clock of another host may be.
const future = 5 * time.Minute

// damage is why nothing of a run counts; empty: it is whole.
func (r *Run) damage() string {
	switch {
	case r.Record == nil:
		return cmp.Or(r.Damage, "its record cannot be read")
	case len(r.Edited) > 0:
		return "changed since the run ended: " + strings.Join(r.Edited, ", ")
	case r.twice != "":
		return r.twice
	case r.BadSeal != "":
		return r.BadSeal
	case r.ClockBack:
		return "its host's clock had been set back"
	case r.Record.Run.UnderWay:
		return "it is still going on"
	case r.Record.Unended() != "":
		return r.Record.Unended()
	case r.Record.Run.Ended.Before(r.Record.Run.Started):
		return "it ended before it began: the clock was set back"
	}
	return ""
}

// refuse is why a run's results do not count, though it is whole.
func (j *judging) refuse(r *record.Record) string {
	e := j.Policy.Evidence
	switch {
	case r.OfSelftest():
		return "it is a selftest of the suites"
	case r.Run.Ended.After(j.Now.Add(future)):
		return "it ended in the future: a clock is wrong"
	case j.stale(r.Run.Ended):
		return fmt.Sprintf("it ended %s, more than %s ago", r.Run.Ended.Format(time.DateOnly), e.MaxAge)
	case e.Hilrig != "" && semver.Compare(r.Run.Version, e.Hilrig) < 0:
		return fmt.Sprintf("it was made by hilrig %s, the policy asks for %s", r.Run.Version, e.Hilrig)
	case r.Run.Selection.Catalogue < e.Catalogue:
		return fmt.Sprintf("its catalogue had %s, the policy asks for %d", wording.Plural(r.Run.Selection.Catalogue, "spec"), e.Catalogue)
	}
	return ""
}

func (j *judging) stale(t time.Time) bool {
	return j.Policy.maxAge > 0 && t.Before(j.Now.Add(-j.Policy.maxAge))
}

// take sorts a run's devices: those of the firmware, and whether they count.
func (j *judging) take(r *Run) {
	ref := RunRef{ID: r.ID, Given: r.Given, SHA256: r.SHA256}
	defer func() { j.out.Runs = append(j.out.Runs, ref) }()
	if r.Record == nil {
		ref.Why = r.damage()
		return
	}
	why := cmp.Or(r.damage(), j.refuse(r.Record))
	if j.Policy.sealed && why == "" {
		why = r.Unsealed
	}
	ref.Why = cmp.Or(why, "no device of it ran "+j.out.Firmware.String())
	for i := range r.Record.Devices {
		d := &r.Record.Devices[i]
		if !j.ours(r.Record, d) {
			continue
		}
		e := &entry{run: r, dev: d, why: why}
		switch {
		case len(d.Faults) > 0:
			e.why, e.none = "it was made faulty on purpose", true
		case r.Record.OfSelftest():
			e.none = true
		case d.Emulated && !j.Policy.Evidence.Emulated:
			e.why, e.none = "it is emulated", true
		case why == "":
			e.why = j.unproved(r.Record, d)
		}
		if !e.none && !j.stale(r.Record.Run.Ended) {
			e.board = j.askedBoard(r.Record, d)
		}
		j.entries = append(j.entries, e)
		switch {
		case e.why == "" && e.board != nil:
			ref.Accepted, ref.Why = true, ""
		case !ref.Accepted && why == "":
			ref.Why = cmp.Or(e.why, "the policy asks for none of its boards")
		}
	}
}

// unproved is why it is not known that the device ran the firmware; empty: it
// is, in a way that the policy takes.
func (j *judging) unproved(r *record.Record, d *record.DeviceRecord) string {
	w, got := j.asked, d.Running
	if !slices.Contains(j.Policy.Evidence.Known, got.Known) {
		if got.Known == "" {
			return "nobody knows which firmware it ran"
		}
		return "its firmware is " + wording.Running(got)
	}
	sum := imageOf(r, d)
	if w.SHA256 != "" && sum != w.SHA256 {
		return fmt.Sprintf("its image is sha256 %s", cmp.Or(sum[:min(12, len(sum))], "unknown"))
	}
	version := cmp.Or(w.Version, r.Firmware.Version)
	switch {
	case got.Version != "" && version != "" && got.Version != version:
		return fmt.Sprintf("it runs %s", got.Version)
	case got.SHA256 == "" && (got.Version == "" || version == ""):
		return "it said a version, and no run or policy says which version the image is"
	}
	return ""
}

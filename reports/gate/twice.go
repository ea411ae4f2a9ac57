package gate

import (
	"fmt"
	"slices"
	"time"

	"hilrig/record"
)

// once takes each run once, however often it was given, and finds what is there
// twice and may be there but once: two versions of a run, a run under two ids, a
// device or a spec of a run.
func (j *judging) once() {
	type beginning struct {
		host, rig string
		at        time.Time
	}
	byID, byBeginning := map[string]*Run{}, map[beginning]*Run{}
	drop := map[*Run]bool{}
	for i := range j.Runs {
		r := &j.Runs[i]
		if r.Record == nil {
			continue
		}
		r.twice = twiceIn(r.Record)
		began := beginning{r.Record.Run.Host, r.Record.Run.Rig, r.Record.Run.Started.UTC()}
		first, other := byID[r.ID], byBeginning[began]
		switch {
		case first != nil && first.SHA256 == r.SHA256 && len(first.Edited)+len(r.Edited) == 0:
			first.Given = first.Given || r.Given
			drop[r] = true
			continue
		case first != nil:
			r.twice, first.twice = "two folders hold different things of it", "two folders hold different things of it"
		case other != nil: // no two runs of a rig begin in one nanosecond
			r.twice, other.twice = "it is run "+other.ID+" under another id", "it is run "+r.ID+" under another id"
		}
		byID[r.ID], byBeginning[began] = r, r
	}
	kept := j.Runs[:0:0]
	for i := range j.Runs {
		if !drop[&j.Runs[i]] {
			kept = append(kept, j.Runs[i])
		}
	}
	j.Runs = kept
}

// twiceIn is what stands twice in a record; empty: nothing does.
func twiceIn(r *record.Record) string {
	var devices []string
	for _, d := range r.Devices {
		devices = append(devices, d.Name)
		var specs []string
		for _, s := range d.Specs {
			specs = append(specs, s.ID)
		}
		if id := repeated(specs); id != "" {
			return fmt.Sprintf("its record has %s twice on device %s", id, d.Name)
		}
	}
	if name := repeated(devices); name != "" {
		return fmt.Sprintf("its record has device %s twice", name)
	}
	return ""
}

// repeated is the first of some names that is there twice.
func repeated(names []string) string {
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return names[i]
		}
	}
	return ""
}

package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
)

// Again narrows a request to what was red or not run in a run: its devices, at
// its hubs. Which specs each entry then gets, [NewPlan] takes from the record.
// Devices that the request names already narrow it further. What is there no more
// is left out, and said.
func (r *Request) Again(rec *record.Record) error {
	if rec.Selftest != nil {
		return nothingAgain(rec, "it is a selftest, which has faults in place of devices")
	}
	only := r.Devices
	for _, name := range only {
		if !slices.ContainsFunc(rec.Devices, func(d record.DeviceRecord) bool { return d.Board() == name }) {
			return nothingAgain(rec, "it has no device "+name)
		}
	}
	if _, err := chooseDevices(r.Rig, only); err != nil {
		return err
	}
	r.Rerun, r.Devices, r.Specs, r.Hubs, r.LabelFilter, r.Gone = rec, nil, nil, nil, "", nil
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, d := range rec.Devices {
		if len(only) > 0 && !slices.Contains(only, d.Board()) {
			continue
		}
		for _, id := range unproved(d) {
			if why := r.goneSince(d, id); why != "" {
				add(&r.Gone, why)
				continue
			}
			add(&r.Devices, d.Board())
			add(&r.Specs, id)
			add(&r.Hubs, d.Hub.Name)
		}
	}
	if len(r.Specs) == 0 && len(r.Gone) > 0 {
		return record.NewFailure(record.Usage, "run again what was red or not run in", rec.Run.ID, errors.New("nothing of it is left: cannot find "+strings.Join(r.Gone, ", nor "))).
			WithCure("without --rerun what there is now is run; --rig names the rig file of that run")
	}
	if len(r.Specs) == 0 {
		return nothingAgain(rec, whyNothing(rec, only))
	}
	return nil
}

// goneSince is why a spec cannot be run again on a device of a record, where one of
// the two or the hub is there no more; empty where all are.
func (r *Request) goneSince(d record.DeviceRecord, id string) string {
	if !slices.ContainsFunc(r.Rig.Devices, func(o rigfile.Device) bool { return o.Name == d.Board() }) {
		return fmt.Sprintf("device %s: rig %s has no such device", d.Board(), r.Rig)
	}
	if _, err := r.Rig.HubNamed(d.Hub.Name); err != nil {
		return fmt.Sprintf("hub %s: rig %s has no such hub", d.Hub.Name, r.Rig)
	}
	var ids []string
	for _, s := range r.Catalogue {
		ids = append(ids, s.ID)
	}
	if slices.Contains(ids, id) {
		return ""
	}
	why := "spec " + id + ": the catalogue has no such spec"
	if near := wording.DidYouMean(id, ids); near != "" {
		why += " (" + near + ")"
	}
	return why
}

// whyNothing is why a run has nothing to run again on these devices, or on any.
func whyNothing(rec *record.Record, only []string) string {
	on := ""
	if len(only) > 0 {
		on = " for " + strings.Join(only, ", ")
	}
	asked, n := 0, 0
	for _, d := range rec.Devices {
		if len(only) == 0 || slices.Contains(only, d.Board()) {
			asked += len(d.Specs)
			for _, s := range d.Specs {
				if s.Verdict != record.NotApplicable {
					n++
				}
			}
		}
	}
	switch {
	case asked == 0:
		return "it names no spec that was asked" + on
	case n == 0:
		return "nothing in it applies" + on
	}
	return "everything in it has a green verdict" + on
}

func nothingAgain(rec *record.Record, why string) error {
	return record.NewFailure(record.Usage, "run again what was red or not run in", rec.Run.ID, errors.New(why))
}

// unproved are the specs of a device that were red or did not run, and all
// where the device as a whole failed.
func unproved(d record.DeviceRecord) (ids []string) {
	for _, s := range d.Specs {
		if !s.Verdict.Green() || d.Cause != "" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// again gives each entry of the plan what it is asked again.
func (p *Plan) again(rec *record.Record) {
	p.Own = map[string][]fixtures.Spec{}
	for _, d := range rec.Devices {
		if !slices.ContainsFunc(p.Hubs, func(h rigfile.Hub) bool { return h.Name == d.Hub.Name }) {
			continue
		}
		ids := unproved(d)
		p.Own[p.entryName(d)] = slices.DeleteFunc(slices.Clone(p.Specs), func(s fixtures.Spec) bool { return !slices.Contains(ids, s.ID) })
	}
}

// entryName is what a device of another run is called in this one: it is at one
// hub now, or at several.
func (p *Plan) entryName(d record.DeviceRecord) string {
	if len(p.Hubs) > 1 {
		return record.EntryName(d.Board(), d.Hub.Name)
	}
	return d.Board()
}

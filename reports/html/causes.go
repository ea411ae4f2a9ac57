package html

import (
	"cmp"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// failure is a card: a result that needs a look, and the boards that have it.
type failure struct {
	Anchor   string
	Device   string // the first of On, whose result is shown
	Spec     record.SpecResult
	On       []wording.On
	Timeline stretch
}

// Short is what was seen, in a line.
func (f failure) Short() string {
	for _, t := range []string{f.Spec.Seen, f.Spec.Message, strings.Join(f.Spec.Warnings, "; ")} {
		if t != "" {
			return wording.Clip(t, 160)
		}
	}
	return ""
}

// detailed is how many failures have a card of their own in the page; of the
// rest it has a line, and the run folder everything.
const detailed = 100

// failures are the results that need a look, the device's own first, and each
// once for all the boards that have it.
func failures(r *record.Record, runDir string) (all, more []failure) {
	for _, rank := range []record.Verdict{record.Fail, record.Error, record.Warn} {
		for _, on := range wording.Alike(r, rank) {
			f := failure{Anchor: anchor(on[0].Device, on[0].Spec.ID), Device: on[0].Device, Spec: on[0].Spec, On: on}
			if len(all) == detailed {
				more = append(more, f)
				continue
			}
			f.Timeline = timeline(runDir, f.Device, f.Spec)
			all = append(all, f)
		}
	}
	return all, more
}

// cards are where each result is told of.
func cards(all []failure) map[string]string {
	at := map[string]string{}
	for _, f := range all {
		for _, o := range f.On {
			at[anchor(o.Device, o.Spec.ID)] = f.Anchor
		}
	}
	return at
}

// broken are devices that failed as a whole, for one and the same cause.
type broken struct {
	Names []string
	Class record.Class
	Cause string
}

func asAWhole(r *record.Record) (all []broken) {
	cause := func(d record.DeviceRecord) string { return string(d.Class) + "\x00" + wording.KeyOn(d, d.Cause) }
	for _, devices := range wording.Together(wording.Untold(r), cause) {
		b := broken{Class: devices[0].Class, Cause: devices[0].Cause}
		for _, d := range devices {
			b.Names = append(b.Names, d.Name)
		}
		all = append(all, b)
	}
	return all
}

// unasked are the specs without a verdict for one and the same cause, and the
// devices on which that is so.
type unasked struct {
	Names       []string
	Cause, Look string
	Specs       []string
	key         string // of devices that lack the same specs for the same cause
}

// without gathers the specs that ended with v by cause and device; devices
// that lack the same specs for the same cause are told together.
func without(r *record.Record, v record.Verdict) (all []unasked) {
	var lacking []unasked
	for _, d := range r.Devices {
		for _, specs := range wording.ByCause(d, v) {
			u := unasked{Names: []string{d.Name}, Cause: cmp.Or(specs[0].Cause, "no result"), Look: specs[0].Look}
			for _, s := range specs {
				u.Specs = append(u.Specs, s.ID)
			}
			u.key = wording.KeyOn(d, u.Cause) + "\x00" + strings.Join(u.Specs, "\x00")
			lacking = append(lacking, u)
		}
	}
	for _, same := range wording.Together(lacking, func(u unasked) string { return u.key }) {
		u := same[0]
		for _, other := range same[1:] {
			u.Names = append(u.Names, other.Names...)
		}
		all = append(all, u)
	}
	return all
}

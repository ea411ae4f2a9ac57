package wording

import (
	"cmp"
	"strings"

	"hilrig/record"
)

// Broken are devices that failed as a whole, for one and the same cause.
type Broken struct {
	Names []string
	Class record.Class
	Cause string
}

// AsAWhole gathers the devices with a cause that none of their specs tells.
func AsAWhole(r *record.Record) (all []Broken) {
	cause := func(d record.DeviceRecord) string { return string(d.Class) + "\x00" + KeyOn(d, d.Cause) }
	for _, devices := range Together(untold(r), cause) {
		b := Broken{Class: devices[0].Class, Cause: devices[0].Cause}
		for _, d := range devices {
			b.Names = append(b.Names, d.Name)
		}
		all = append(all, b)
	}
	return all
}

// Lacking are the specs without a verdict for one and the same cause, and the
// devices on which that is so.
type Lacking struct {
	Names       []string
	Cause, Look string
	Specs       []string
	key         string // of devices that lack the same specs for the same cause
}

// Without gathers the specs that ended with v by cause and device; devices
// that lack the same specs for the same cause are told together.
func Without(r *record.Record, v record.Verdict) (all []Lacking) {
	var lacking []Lacking
	for _, d := range r.Devices {
		for _, specs := range byCause(d, v) {
			l := Lacking{Names: []string{d.Name}, Cause: cmp.Or(specs[0].Cause, "no result"), Look: specs[0].Look}
			for _, s := range specs {
				l.Specs = append(l.Specs, s.ID)
			}
			l.key = KeyOn(d, l.Cause) + "\x00" + strings.Join(l.Specs, "\x00")
			lacking = append(lacking, l)
		}
	}
	for _, same := range Together(lacking, func(l Lacking) string { return l.key }) {
		l := same[0]
		for _, other := range same[1:] {
			l.Names = append(l.Names, other.Names...)
		}
		all = append(all, l)
	}
	return all
}

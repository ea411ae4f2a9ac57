package wording

import (
	"slices"
	"strings"

	"hilrig/record"
)

// On is a result, and the device that it was found on.
type On struct {
	Device string
	Spec   record.SpecResult
}

// Alike gathers the results of one verdict that are one thing on several
// boards: the same spec, told with the same words but for figures and for the
// boards' own names. What most boards have comes first.
func Alike(r *record.Record, v record.Verdict) (all [][]On) {
	index := map[string]int{}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			if s.Verdict != v {
				continue
			}
			key := strings.Join([]string{s.ID, string(s.Class), KeyOn(d, told(s))}, "\x00")
			i, known := index[key]
			if !known {
				i = len(all)
				index[key] = i
				all = append(all, nil)
			}
			all[i] = append(all[i], On{d.Name, s})
		}
	}
	slices.SortStableFunc(all, func(a, b []On) int { return len(b) - len(a) })
	return all
}

// KeyOn is [CauseKey] of what was told of a device, without its own names.
func KeyOn(d record.DeviceRecord, cause string) string {
	return CauseKey(strings.NewReplacer(names(d)...).Replace(cause))
}

// told is what a result says.
func told(s record.SpecResult) string {
	return strings.Join(append([]string{s.Expected, s.Seen, s.Message, s.Cause}, s.Warnings...), "\n")
}

// names are what a board is called, each with what stands for it, the longer
// one first: it may hold the other.
func names(d record.DeviceRecord) (pairs []string) {
	own := []string{d.Name, d.DeviceID}
	slices.SortFunc(own, func(a, b string) int { return len(b) - len(a) })
	for _, name := range own {
		if len(name) > 1 { // a letter is a part of any word
			pairs = append(pairs, name, "\x01")
		}
	}
	return pairs
}

// Boards names at most n devices, and says how many more there are.
func Boards(on []On, n int) string {
	var named []string
	for i, o := range on {
		if i == n && len(on) > n+1 {
			return strings.Join(named, ", ") + " and " + Plural(len(on)-n, "other")
		}
		named = append(named, o.Device)
	}
	return strings.Join(named, ", ")
}

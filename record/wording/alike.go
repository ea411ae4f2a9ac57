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
	key    string // of what is one thing on several boards
}

// Alike gathers the results of one verdict that are one thing on several
// boards: the same spec, told with the same words but for figures and for the
// boards' own names. What most boards have comes first.
func Alike(r *record.Record, v record.Verdict) [][]On {
	var found []On
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			if s.Verdict == v {
				found = append(found, On{d.Name, s, strings.Join([]string{s.ID, string(s.Class), KeyOn(d, told(s))}, "\x00")})
			}
		}
	}
	all := Together(found, func(o On) string { return o.key })
	slices.SortStableFunc(all, func(a, b []On) int { return len(b) - len(a) })
	return all
}

// Together puts what has one key together, where the first of each stood.
func Together[T any](all []T, key func(T) string) (groups [][]T) {
	index := map[string]int{}
	for _, one := range all {
		k := key(one)
		i, known := index[k]
		if !known {
			i = len(groups)
			index[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], one)
	}
	return groups
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
	own := []string{d.Name, d.DeviceID, d.Port, d.Hardware.Serial}
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
	var names []string
	for _, o := range on {
		names = append(names, o.Device)
	}
	return Some(names, n)
}

// Some is at most n of the names, and how many more there are.
func Some(names []string, n int) string {
	if len(names) > n+1 {
		return strings.Join(names[:n], ", ") + " and " + Plural(len(names)-n, "other")
	}
	return strings.Join(names, ", ")
}

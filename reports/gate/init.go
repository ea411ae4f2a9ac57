package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// Draft is a policy that asks for what a run has asked: the file that a person
// goes on from. What did not apply is accepted, with what the run said of it.
func Draft(r *record.Record, catalogue []Spec) []byte {
	var b strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&b, format+"\n", values...) }
	line("# Made of run %s; hilrig schema policy explains each key.", r.Run.ID)
	line("policy: %q", cmp.Or(r.Run.Rig, "rig")+"-release")
	drafted := map[string]map[string]bool{} // serials by type
	var hubs []string
	emulated, claimed := false, false
	for _, d := range r.Devices {
		if drafted[d.Type] == nil {
			drafted[d.Type] = map[string]bool{}
		}
		drafted[d.Type][cmp.Or(d.Hardware.Serial, d.Board())] = true
		if !slices.Contains(hubs, d.Hub.Name) {
			hubs = append(hubs, d.Hub.Name)
		}
		emulated = emulated || d.Emulated
		claimed = claimed || !d.Running.Known.Told()
	}
	line("boards:")
	for _, t := range slices.Sorted(maps.Keys(drafted)) {
		line("  - {type: %q, at_least: %d}", t, len(drafted[t]))
	}
	line("hubs: [%s]", quotedList(hubs))
	patterns, without := asked(r, catalogue)
	line("required: [%s]", quotedList(patterns))
	if len(without) > 0 {
		line("accept:")
		for _, a := range without {
			line("  - {spec: %q, because: %q}", a.Spec, a.Because)
		}
	}
	line("evidence:")
	if claimed {
		line("  # The run does not know of every board which firmware is on it: add claimed only if a person's word is enough.")
	}
	line("  known: [flashed, asked]")
	if emulated {
		line("  # The run had emulated devices: they say nothing of a board's firmware.")
		line("  emulated: true")
	}
	line("  max_age: 14d")
	line("  catalogue: %d", max(1, r.Run.Selection.Catalogue))
	line("flaky: 0")
	line("unlisted: count")
	return []byte(b.String())
}

func quotedList(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(quoted, ", ")
}

// asked are the patterns of what a run asked, and what of it did not apply on
// any device.
func asked(r *record.Record, catalogue []Spec) (patterns []string, without []Acceptance) {
	said := map[string]Acceptance{}
	proved := map[string]bool{}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			if s.Verdict != record.NotApplicable {
				proved[s.ID] = true
			}
			said[s.ID] = Acceptance{Spec: s.ID, Because: cmp.Or(wording.Clip(wording.OneLine(s.Cause), 200), "it does not apply")}
		}
	}
	all, some := map[string]bool{}, map[string][]string{}
	var areas []string
	for _, s := range catalogue {
		area := areaOf(s.ID)
		if !slices.Contains(areas, area) {
			areas, all[area] = append(areas, area), true
		}
		if a, ok := said[s.ID]; ok {
			some[area] = append(some[area], s.ID)
			if !proved[s.ID] {
				without = append(without, a)
			}
		} else {
			all[area] = false
		}
	}
	for _, area := range areas {
		if all[area] {
			patterns = append(patterns, area+"/*")
		} else {
			patterns = append(patterns, some[area]...)
		}
	}
	return patterns, without
}

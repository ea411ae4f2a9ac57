package gate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/record/wording"
)

// offered begins each line of a draft that asks for more than the run did: who
// takes the mark away asks for it.
const offered = "#: "

// drafting is a policy that is made of a run.
type drafting struct {
	run       *record.Record
	catalogue []Spec
	devices   []*record.DeviceRecord // that have a type
	text      strings.Builder
}

// Draft is a policy that asks for what a run has asked: the file that a person
// goes on from. What did not apply is accepted, with what the run said of it;
// what the run has beside that is offered. A run of which no policy can be made
// is a usage failure.
func Draft(r *record.Record, catalogue []Spec) ([]byte, error) {
	d := &drafting{run: r, catalogue: catalogue}
	for i := range r.Devices {
		if r.Devices[i].Type != "" {
			d.devices = append(d.devices, &r.Devices[i])
		}
	}
	patterns, without := d.asked()
	if len(patterns) == 0 {
		return nil, record.NewFailure(record.Usage, "draft policy", "of run "+wording.OneLine(r.Run.ID), errors.New("no device of it was asked for a spec of this catalogue"))
	}
	d.line("# Made of run %s; hilrig schema policy explains each key.", record.Plain(wording.OneLine(r.Run.ID)))
	d.line("# A line that begins with %q is an offer: without that mark it is asked for.", offered)
	d.line("policy: %q", wording.Clip(wording.OneLine(cmp.Or(r.Run.Rig, "rig")), 90)+"-release")
	d.boards()
	d.line("required: [%s]", quotedList(patterns))
	if len(without) > 0 {
		d.line("accept:")
	}
	for _, a := range without {
		hub := ""
		if a.Hub != "" {
			hub = fmt.Sprintf("hub: %q, ", a.Hub)
		}
		d.line("  - {spec: %q, %sbecause: %q}", a.Spec, hub, a.Because)
	}
	d.evidence()
	d.requirements()
	d.measurements()
	d.line("# Nothing fails more often than with the firmware that was released last:")
	d.line(offered + "baseline: {missing: warn}")
	return []byte(d.text.String()), nil
}

func (d *drafting) line(format string, values ...any) { fmt.Fprintf(&d.text, format+"\n", values...) }

// boards asks for as many of each type, at the same hubs.
func (d *drafting) boards() {
	drafted := map[string]map[string]bool{} // serials by type
	var hubs []string
	for _, dev := range d.devices {
		if drafted[dev.Type] == nil {
			drafted[dev.Type] = map[string]bool{}
		}
		drafted[dev.Type][cmp.Or(dev.Hardware.Serial, dev.Board())] = true
		if dev.Hub.Name != "" && !slices.Contains(hubs, dev.Hub.Name) {
			hubs = append(hubs, dev.Hub.Name)
		}
	}
	d.line("boards:")
	for _, t := range slices.Sorted(maps.Keys(drafted)) {
		d.line("  - {type: %q, at_least: %d}", t, len(drafted[t]))
	}
	d.line("hubs: [%s]", quotedList(hubs))
}

func (d *drafting) evidence() {
	d.line("evidence:")
	if slices.ContainsFunc(d.devices, func(dev *record.DeviceRecord) bool { return !dev.Running.Known.Told() }) {
		d.line("  # The run does not know of every board which firmware is on it: add claimed only if a person's word is enough.")
	}
	d.line("  known: [flashed, asked]")
	if slices.ContainsFunc(d.devices, func(dev *record.DeviceRecord) bool { return dev.Emulated }) {
		d.line("  # The run had emulated devices: they say nothing of a board's firmware.")
		d.line("  emulated: true")
	}
	d.line("  max_age: 14d")
	d.line("  catalogue: %d", max(1, d.run.Run.Selection.Catalogue))
	d.line("flaky: 0")
	d.line("unlisted: count")
}

// requirements offers the list that the run was to tell of, else the
// manufacturer's steps. What no spec shows is excepted, with the list's reason.
func (d *drafting) requirements() {
	name := "guide"
	for i, arg := range d.run.Run.Arguments {
		const flag = "--requirements"
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			name = value
		} else if i > 0 && d.run.Run.Arguments[i-1] == flag {
			name = arg
		}
	}
	text, known := requirements.Shipped(name)
	if !known {
		d.line("# Each requirement of a list is shown, by all of its specs (from the policy's folder):")
		d.line(offered+"requirements: {list: %q}", name)
		return
	}
	list, err := requirements.Read(name, text, d.catalogue)
	if err != nil {
		return // somebody's own catalogue, without the specs that it names
	}
	asked, shown := 0, 0
	var bare []requirements.Requirement
	for _, r := range list.All {
		if len(r.Specs) == 0 {
			bare = append(bare, r)
			continue
		}
		asked++
		if !slices.ContainsFunc(r.Specs, func(spec string) bool { return !d.has(spec) }) {
			shown++
		}
	}
	d.line("# Each requirement of a list is shown, by all of its specs; this run was asked for those of %d of %d:", shown, asked)
	d.line(offered+"requirements:\n"+offered+"  list: %q", name)
	if len(bare) > 0 {
		d.line(offered + "  except:")
	}
	for _, r := range bare {
		d.line(offered+"    - {requirement: %q, because: %q}", r.ID, cmp.Or(r.Because, "no spec shows it"))
	}
}

// has reports whether every device was asked for a spec.
func (d *drafting) has(spec string) bool {
	return !slices.ContainsFunc(d.devices, func(dev *record.DeviceRecord) bool {
		return !slices.ContainsFunc(dev.Specs, func(s record.SpecResult) bool { return s.ID == spec })
	})
}

func quotedList(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(quoted, ", ")
}

// asked are the patterns of what a run asked, and what of it did not apply on
// any device, or on any device at a hub.
func (d *drafting) asked() (patterns []string, without []Acceptance) {
	said := map[string]map[string]string{} // why a spec did not apply, by hub; empty: it did
	for _, dev := range d.devices {
		for _, s := range dev.Specs {
			if said[s.ID] == nil {
				said[s.ID] = map[string]string{}
			}
			why, met := said[s.ID][dev.Hub.Name]
			switch {
			case s.Verdict != record.NotApplicable, met && why == "":
				said[s.ID][dev.Hub.Name] = ""
			default:
				said[s.ID][dev.Hub.Name] = cmp.Or(wording.Clip(wording.OneLine(s.Cause), 200), "it does not apply")
			}
		}
	}
	all, some := map[string]bool{}, map[string][]string{}
	var areas []string
	for _, s := range d.catalogue {
		area := areaOf(s.ID)
		if !slices.Contains(areas, area) {
			areas, all[area] = append(areas, area), true
		}
		if byHub, ok := said[s.ID]; ok {
			some[area] = append(some[area], s.ID)
			without = append(without, accepted(s.ID, byHub)...)
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

// accepted says where a spec may be without a result: everywhere, or at the hubs
// where it did not apply.
func accepted(spec string, byHub map[string]string) (all []Acceptance) {
	for _, hub := range slices.Sorted(maps.Keys(byHub)) {
		if why := byHub[hub]; why != "" {
			all = append(all, Acceptance{Spec: spec, Hub: hub, Because: why})
		}
	}
	if len(all) > 0 && len(all) == len(byHub) {
		return []Acceptance{{Spec: spec, Because: all[0].Because}}
	}
	return all
}

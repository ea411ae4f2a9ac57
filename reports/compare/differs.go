package compare

import (
	"cmp"
	"fmt"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// differences say, in words, what else is another in the later run: a verdict
// that changed may be due to that.
func differences(before, after *record.Record) []string {
	all := []string{}
	if after.Run.Started.Before(before.Run.Started) {
		all = append(all, fmt.Sprintf("order: %s began before %s, so what is newly red here was mended since", after.Run.ID, before.Run.ID))
	}
	add := func(what, was, now string) {
		if was != now {
			all = append(all, fmt.Sprintf("%s: %s before, %s now", what, named(was), named(now)))
		}
	}
	add("firmware under test", firmware(before.Firmware), firmware(after.Firmware))
	all = append(all, devices(before, after, namesIn(before, after))...)
	add("catalogue", short(before.Run.Selection.Digest), short(after.Run.Selection.Digest))
	add("asked", wording.Selection(before.Run.Selection), wording.Selection(after.Run.Selection))
	add("rig", before.Run.Rig, after.Run.Rig)
	add("hilrig", before.Run.Version, after.Run.Version)
	for _, r := range []*record.Record{before, after} {
		if why := r.Unended(); why != "" {
			all = append(all, r.Run.ID+": "+why)
		}
	}
	return all
}

func named(s string) string { return cmp.Or(s, "none named") }

func short(digest string) string { return digest[:min(12, len(digest))] }

func firmware(f record.Firmware) string {
	var parts []string
	for _, p := range []string{f.Version, f.File, short(f.SHA256)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ")
}

// devices are those that are in one run only, and what is another about the
// rest; what holds of several is said once.
func devices(before, after *record.Record, called map[string]string) (all []string) {
	var order []string
	who := map[string][]string{}
	say := func(what, device string) {
		if who[what] == nil {
			order = append(order, what)
		}
		who[what] = append(who[what], device)
	}
	was := make(map[string]*record.DeviceRecord, len(before.Devices))
	for i := range before.Devices {
		was[called[before.Devices[i].Name]] = &before.Devices[i]
	}
	for i := range after.Devices {
		d := &after.Devices[i]
		old := was[d.Name]
		if old == nil {
			say("in the later run only", d.Name)
			continue
		}
		for _, p := range [][3]string{
			{"runs", ran(old), ran(d)},
			{"is board", wording.Board(old.Hardware), wording.Board(d.Hardware)},
			{"is", made(old), made(d)},
			{"at hub", at(old.Hub), at(d.Hub)},
			{"of type", old.Type, d.Type},
		} {
			if p[1] != p[2] {
				say(fmt.Sprintf("%s %s before, %s now", p[0], named(p[1]), named(p[2])), d.Name)
			}
		}
	}
	for _, d := range before.Devices {
		if after.Device(called[d.Name]) == nil {
			say("in the earlier run only", d.Name)
		}
	}
	for _, what := range order {
		names := who[what]
		if len(names) > mostNamed {
			names = append(names[:mostNamed:mostNamed], fmt.Sprintf("%d more", len(who[what])-mostNamed))
		}
		all = append(all, strings.Join(names, ", ")+": "+what)
	}
	return all
}

// mostNamed bounds how many devices are named for one thing.
const mostNamed = 4

func ran(d *record.DeviceRecord) string {
	return cmp.Or(d.Running.Version, short(d.Running.SHA256))
}

func made(d *record.DeviceRecord) string {
	if s := strings.TrimPrefix(wording.Emulated(*d), ", "); s != "" {
		return s
	}
	return "hardware"
}

// at leaves out the address: a local hub takes a free port.
func at(h record.Hub) string {
	if h.Tap {
		return h.Name + " (" + h.Kind + ", behind a tap)"
	}
	return h.Name + " (" + h.Kind + ")"
}

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

// Judged is the firmware that is judged: the one asked for, the policy's, or
// that of the runs given where they are all of one. Lack says why it is none.
func (q *Question) Judged() (w Wanted, lack string) {
	w = q.Firmware
	if w == (Wanted{}) {
		w = q.Policy.Firmware
	}
	if w != (Wanted{}) {
		return w, ""
	}
	found := q.given()
	switch all := slices.Collect(maps.Keys(found)); len(all) {
	case 0:
		return w, "no run says which firmware it is of; --firmware or --firmware-file names it"
	case 1:
		return all[0], ""
	default:
		return w, fmt.Sprintf("the runs are of %d firmwares; --firmware or --firmware-file says which is judged", len(all))
	}
}

// given are the firmwares of the runs that were given.
func (q *Question) given() map[Wanted]bool {
	found := map[Wanted]bool{}
	for _, r := range q.Runs {
		if r.Record == nil || !r.Given {
			continue
		}
		for i := range r.Record.Devices {
			d := &r.Record.Devices[i]
			found[Wanted{versionOf(r.Record, d), imageOf(r.Record, d)}] = true
		}
	}
	delete(found, Wanted{})
	return found
}

// Names are what the runs that were given call the firmware beside the name that
// is judged: the version of an image, the images of a version. A run that has
// only this name is of it too.
func (q *Question) Names() (all []Wanted) {
	w, _ := q.Judged()
	for f := range q.given() {
		switch {
		case w.Version == "" && w.SHA256 != "" && f.SHA256 == w.SHA256 && f.Version != "":
			all = append(all, Wanted{Version: f.Version})
		case w.SHA256 == "" && w.Version != "" && f.Version == w.Version && f.SHA256 != "":
			all = append(all, Wanted{SHA256: f.SHA256})
		}
	}
	slices.SortFunc(all, func(a, b Wanted) int { return cmp.Compare(a.Version+a.SHA256, b.Version+b.SHA256) })
	return all
}

// imageOf is the SHA-256 of the image that a device was to run, as far as it is
// known.
func imageOf(r *record.Record, d *record.DeviceRecord) string {
	return cmp.Or(d.Running.SHA256, r.Firmware.SHA256)
}

func versionOf(r *record.Record, d *record.DeviceRecord) string {
	return cmp.Or(d.Running.Version, r.Firmware.Version)
}

// firmware says which is judged, and leaves out the runs of others that nobody
// has given. One that is not what it was may have been of any firmware.
func (j *judging) firmware() {
	j.asked, j.lack = j.Judged()
	j.out.Firmware.Wanted = j.asked
	j.others = j.Names()
	j.Runs = slices.DeleteFunc(j.Runs, func(r Run) bool {
		return !r.Given && r.Record != nil && len(r.Edited) == 0 && r.BadSeal == "" &&
			!slices.ContainsFunc(r.Record.Devices, func(d record.DeviceRecord) bool { return j.ours(r.Record, &d) })
	})
}

// oneFirmware demands that it is known which firmware is judged, and that
// everything that counts is of one image: two may have one version.
func (j *judging) oneFirmware() {
	var lacks []string
	if j.lack != "" {
		lacks = append(lacks, j.lack)
	}
	if n := len(j.images); n > 1 {
		short := make([]string, n)
		for i, sum := range j.images {
			short[i] = sum[:min(12, len(sum))]
		}
		lacks = append(lacks, fmt.Sprintf("results of %s count (%s); --firmware-file says which is judged", wording.Plural(n, "image"), strings.Join(short, ", ")))
	}
	j.out.rule("firmware", "judged is "+j.asked.String(), nil, lacks)
}

// ours reports whether a device ran the firmware, or was to.
func (j *judging) ours(r *record.Record, d *record.DeviceRecord) bool {
	w := j.asked
	version, sum := versionOf(r, d), imageOf(r, d)
	if (version == "" || sum == "") && slices.ContainsFunc(j.others, func(n Wanted) bool {
		return n.Version != "" && n.Version == version || n.SHA256 != "" && n.SHA256 == sum
	}) {
		return true
	}
	if told := d.Running; told.Known.Told() {
		if told.SHA256 != "" && w.SHA256 != "" {
			return told.SHA256 == w.SHA256
		}
		if told.Version != "" && w.Version != "" {
			return told.Version == w.Version
		}
	}
	if d.Running.SHA256 != "" && d.Running.SHA256 == w.SHA256 || d.Running.Version != "" && d.Running.Version == w.Version {
		return true
	}
	return r.Firmware.SHA256 != "" && r.Firmware.SHA256 == w.SHA256 || r.Firmware.Version != "" && r.Firmware.Version == w.Version
}

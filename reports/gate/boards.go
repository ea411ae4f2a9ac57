package gate

import (
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// board is a board, whichever slot it hung in.
type board struct {
	serial, kind, revision string
	emulated               bool
	known                  record.Origin // the weakest of its accepted entries
	accepted               bool
	listed                 bool // among the boards of the verdict
}

// serialOf is what tells a device's board apart; empty: nothing does. Only a
// device made of software is its slot.
func serialOf(r *record.Record, d *record.DeviceRecord) string {
	serial := strings.TrimSpace(d.Hardware.Serial)
	if serial == "" && d.Emulated {
		return r.Run.Rig + "/" + d.Board()
	}
	return serial
}

func boardKey(serial, kind string) string { return strings.ToLower(serial) + "\n" + kind }

// revisionsOf are the hardware revisions that runs name for each board: who
// leaves it out in one has not made another board of it.
func revisionsOf(runs []Run) map[string][]string {
	all := map[string][]string{}
	for _, r := range runs {
		if r.Record == nil {
			continue
		}
		for i := range r.Record.Devices {
			d := &r.Record.Devices[i]
			key := boardKey(serialOf(r.Record, d), d.Type)
			if is := d.Hardware.Revision; is != "" && !slices.Contains(all[key], is) {
				all[key] = append(all[key], is)
			}
		}
	}
	return all
}

// askedBoard is a device's board where the policy asks for boards of its type
// and revision; else nil. One of which nobody says the revision may be asked for.
func (j *judging) askedBoard(r *record.Record, d *record.DeviceRecord) *board {
	serial := serialOf(r, d)
	revisions := []string{d.Hardware.Revision}
	if d.Hardware.Revision == "" && serial != "" {
		revisions = append(revisions, j.revisions[boardKey(serial, d.Type)]...)
	}
	open := false
	for _, b := range j.Policy.Boards {
		switch {
		case b.Type != d.Type:
		case b.Revision == "" || slices.Contains(revisions, b.Revision):
			return j.boardOf(serial, revisions[len(revisions)-1], d)
		case len(revisions) == 1 && revisions[0] == "":
			open = true
		}
	}
	if open && !slices.ContainsFunc(j.unsure, func(b *board) bool { return b.is(serial, d.Type) }) {
		j.unsure = append(j.unsure, &board{serial: serial, kind: d.Type})
	}
	return nil
}

func (b *board) is(serial, kind string) bool {
	return strings.EqualFold(b.serial, serial) && b.kind == kind
}

// boardOf finds a board by its serial number, in capitals or not: a slot of a
// rig is a place.
func (j *judging) boardOf(serial, revision string, d *record.DeviceRecord) *board {
	for _, b := range j.boards {
		if b.is(serial, d.Type) {
			b.emulated = b.emulated || d.Emulated
			return b
		}
	}
	b := &board{serial: serial, kind: d.Type, revision: revision, emulated: d.Emulated}
	j.boards = append(j.boards, b)
	return b
}

// boardRules demand the boards.
func (j *judging) boardRules() {
	for _, want := range j.Policy.Boards {
		var lacks []string
		n := 0
		for _, b := range j.boards {
			switch {
			case b.kind != want.Type || want.Revision != "" && b.revision != want.Revision:
			case b.serial == "":
				lacks = append(lacks, "a board of type "+b.kind+" has no serial number: which one it is, is not known (board: in the rig file)")
			case !b.accepted:
				lacks = append(lacks, b.name()+" was to run this firmware, and nothing of it counts")
			default:
				n++
				if !b.listed {
					b.listed = true
					j.out.Boards = append(j.out.Boards, Counted{b.serial, b.kind, b.revision, b.emulated, b.known})
				}
			}
		}
		for _, b := range j.unsure {
			if b.kind == want.Type && want.Revision != "" {
				lacks = append(lacks, "nobody says which revision "+b.name()+" has (revision: in the rig file)")
			}
		}
		name := "boards " + want.Type
		if want.Revision != "" {
			name += " revision " + want.Revision
		}
		if n < want.AtLeast {
			lacks = append(lacks, fmt.Sprintf("%s of type %s, the policy asks for %d", wording.Plural(n, "board"), want.Type, want.AtLeast))
		}
		j.out.rule(name, wording.Plural(n, "board")+" of type "+want.Type, nil, lacks)
	}
}

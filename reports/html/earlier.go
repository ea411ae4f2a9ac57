package html

import (
	"cmp"
	"slices"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

// Earlier is what is known of the boards of a run from before it.
type Earlier struct {
	Since *Since                              // nil: no run can be compared
	Tails map[string]map[string][]record.Mark // by device and spec, the oldest first
}

// Since is what changed against the last run that can be compared.
type Since struct {
	ID, Firmware string
	Started      time.Time
	Report       Ref // empty: it is gone
	Missing      int // devices that it did not have
	Faulty       int // devices that are faulty on purpose, which nothing is known of
	Groups       []SinceGroup
}

// SinceGroup are the changes of one kind.
type SinceGroup struct {
	Title   string
	Changes []SinceChange
}

// SinceKind is how a spec changed.
type SinceKind struct {
	Spec          string
	Before, After record.Verdict // empty: it was not asked
}

// SinceChange is a spec that changed on some devices in the same way.
type SinceChange struct {
	SinceKind
	Devices []string
}

// Changed is how many results changed.
func (s Since) Changed() (n int) {
	for _, g := range s.Groups {
		for _, c := range g.Changes {
			n += len(c.Devices)
		}
	}
	return n
}

// mostSince is how many changes of a kind have a line that is not folded.
const mostSince = 10

// First are the changes that are not folded.
func (g SinceGroup) First() []SinceChange { return g.Changes[:min(mostSince, len(g.Changes))] }

// Rest are those that are.
func (g SinceGroup) Rest() []SinceChange { return g.Changes[min(mostSince, len(g.Changes)):] }

// N is how many results are in the group.
func (g SinceGroup) N() (n int) {
	for _, c := range g.Changes {
		n += len(c.Devices)
	}
	return n
}

// On names the devices.
func (c SinceChange) On() string { return wording.Some(c.Devices, 4) }

// tailLength is how many earlier verdicts a spec shows.
const tailLength = 10

// tail are the last verdicts of a spec on a device, the oldest first.
func (e *Earlier) tail(device, spec string) []record.Mark {
	if e == nil {
		return nil
	}
	all := e.Tails[device][spec]
	return all[max(0, len(all)-tailLength):]
}

// worst are the last verdicts of a spec over devices: of each run the worst.
func (e *Earlier) worst(devices []record.DeviceRecord, spec string) []record.Mark {
	if e == nil {
		return nil
	}
	runs := map[int64]record.Mark{}
	for _, d := range devices {
		for _, m := range e.Tails[d.Name][spec] {
			if was, known := runs[m.Run]; !known || rank(m.Verdict) < rank(was.Verdict) {
				runs[m.Run] = m
			}
		}
	}
	all := make([]record.Mark, 0, len(runs))
	for _, m := range runs {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b record.Mark) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Run, b.Run)) })
	return all[max(0, len(all)-tailLength):]
}

// onto gives each row of a matrix its marks, and reports whether any has some.
func (e *Earlier) onto(areas []area, devices []record.DeviceRecord) (some bool) {
	for _, a := range areas {
		for i := range a.Rows {
			a.Rows[i].Tail = e.worst(devices, a.Rows[i].ID)
			some = some || len(a.Rows[i].Tail) > 0
		}
	}
	return some
}

// rank orders verdicts, the worst first; one that does not apply says least.
func rank(v record.Verdict) int {
	switch i := slices.Index(reds, v); {
	case i >= 0:
		return i
	case v == record.NotApplicable:
		return len(reds) + 1
	}
	return len(reds)
}

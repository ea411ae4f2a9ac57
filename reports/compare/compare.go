package compare

import (
	"cmp"
	"time"

	"hilrig/record"
)

// Comparison is what changed from one run to a later one.
type Comparison struct {
	Before  Side     `json:"before"`
	After   Side     `json:"after"`
	Differs []string `json:"differs"` // what else is another: firmware, boards, hubs, catalogue

	NewlyRed    []Change `json:"newly_red"`     // fail or error now, and not before
	NewlyNotRun []Change `json:"newly_not_run"` // had a verdict before, and has none now
	NewlyGreen  []Change `json:"newly_green"`   // green now, and not before
	StillRed    []Change `json:"still_red"`
	Moved       []Moved  `json:"moved"` // measurements, beyond their spread
	New         int      `json:"new"`   // results that the earlier run did not ask, and that are not red
	Same        int      `json:"same"`  // results that are none of these
}

// Side is one of the two runs.
type Side struct {
	ID      string         `json:"id"`
	Started time.Time      `json:"started"`
	Verdict record.Verdict `json:"verdict"`
	Unended string         `json:"unended,omitempty"` // why it has no verdict
}

// Change is a spec on a device whose verdict changed, or stayed red. Before or
// After is empty where the run did not ask it.
type Change struct {
	Device  string         `json:"device"`
	Spec    string         `json:"spec"`
	Before  record.Verdict `json:"before"`
	After   record.Verdict `json:"after"`
	Class   record.Class   `json:"class,omitempty"` // of the later one
	Message string         `json:"message,omitempty"`
}

// Runs compares two records.
func Runs(before, after *record.Record) *Comparison {
	c := &Comparison{Before: sideOf(before), After: sideOf(after), Differs: differences(before, after)}
	called := namesIn(before, after)
	was := resultsOf(before, called)
	c.Moved = moved(was, after, spreads(before))
	for i := range after.Devices {
		d := &after.Devices[i]
		c.device(d, was[d.Name])
		for j := range d.Specs {
			now := &d.Specs[j]
			c.take(d.Name, was[d.Name][now.ID], now)
			delete(was[d.Name], now.ID)
		}
	}
	for _, d := range before.Devices { // what is asked no more, in its order
		name := called[d.Name]
		for j := range d.Specs {
			if old := was[name][d.Specs[j].ID]; old != nil {
				c.take(name, old, nil)
			}
		}
	}
	return c
}

func sideOf(r *record.Record) Side {
	return Side{ID: r.Run.ID, Started: r.Run.Started, Verdict: r.Run.Verdict, Unended: r.Unended()}
}

// wholeDevice stands in place of a spec for what is wrong with a device beside
// its specs.
const wholeDevice = "device"

// namesIn are what the later run calls the devices of the earlier one. One that
// was tested at several hubs has an entry for each, and is called by its own name
// where there is one hub only.
func namesIn(before, after *record.Record) map[string]string {
	called, there := make(map[string]string, len(before.Devices)), make(map[string]string, len(after.Devices))
	for _, d := range after.Devices {
		there[record.EntryName(d.Board(), d.Hub.Name)] = d.Name
	}
	for _, d := range before.Devices {
		called[d.Name] = d.Name
		if after.Device(d.Name) == nil {
			called[d.Name] = cmp.Or(there[record.EntryName(d.Board(), d.Hub.Name)], d.Name)
		}
	}
	return called
}

// resultsOf are all results, by what the device is called in the later run, and spec; a device with a cause of its
// own has one more.
func resultsOf(r *record.Record, called map[string]string) map[string]map[string]*record.SpecResult {
	all := make(map[string]map[string]*record.SpecResult, len(r.Devices))
	for i := range r.Devices {
		d := &r.Devices[i]
		of := make(map[string]*record.SpecResult, len(d.Specs)+1)
		for j := range d.Specs {
			of[d.Specs[j].ID] = &d.Specs[j]
		}
		if d.Cause != "" {
			of[wholeDevice] = whole(d)
		}
		all[called[d.Name]] = of
	}
	return all
}

func whole(d *record.DeviceRecord) *record.SpecResult {
	v := record.Error
	if d.Class == record.ClassDevice {
		v = record.Fail
	}
	return &record.SpecResult{ID: wholeDevice, Verdict: v, Class: d.Class, Message: d.Cause}
}

// device takes what is wrong with a device as a whole.
func (c *Comparison) device(d *record.DeviceRecord, was map[string]*record.SpecResult) {
	old := was[wholeDevice]
	delete(was, wholeDevice)
	switch {
	case d.Cause != "":
		c.take(d.Name, old, whole(d))
	case old != nil:
		c.take(d.Name, old, &record.SpecResult{ID: wholeDevice, Verdict: record.Pass})
	}
}

func red(v record.Verdict) bool { return v == record.Fail || v == record.Error }

// proved reports whether a verdict says that something was asked and answered.
func proved(v record.Verdict) bool { return v == record.Pass || v == record.Warn }

// take sorts one result; one of the two may be missing.
func (c *Comparison) take(device string, old, now *record.SpecResult) {
	ch := Change{Device: device}
	if old != nil {
		ch.Spec, ch.Before = old.ID, old.Verdict
	}
	if now != nil {
		ch.Spec, ch.After, ch.Class, ch.Message = now.ID, now.Verdict, now.Class, cmp.Or(now.Message, now.Cause)
	} else {
		ch.Message = "it was not asked"
	}
	switch was := ch.Before; {
	case red(ch.After) && red(was):
		c.StillRed = append(c.StillRed, ch)
	case red(ch.After):
		c.NewlyRed = append(c.NewlyRed, ch)
	case proved(ch.After) && (red(was) || was == record.NotRun):
		c.NewlyGreen = append(c.NewlyGreen, ch)
	case !proved(ch.After) && (red(was) || proved(was)), ch.After == record.NotRun && was == "":
		c.NewlyNotRun = append(c.NewlyNotRun, ch)
	case was == "":
		c.New++
	default:
		c.Same++
	}
}

// Worse reports whether a device fails what it did not fail before.
func (c *Comparison) Worse() bool {
	for _, ch := range c.NewlyRed {
		if ch.After == record.Fail {
			return true
		}
	}
	return false
}

// Unknown reports whether the later run leaves open what the earlier one
// answered: a rig that failed, what did not run, a run without an end.
func (c *Comparison) Unknown() bool {
	return len(c.NewlyRed) > 0 && !c.Worse() || len(c.NewlyNotRun) > 0 || c.Before.Unended != "" || c.After.Unended != ""
}

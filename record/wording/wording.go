package wording

import (
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
)

// noVerdict ends a sentence about a run that proves nothing of a firmware.
const noVerdict = "no verdict on the firmware"

// Sentence is the run in one sentence, for somebody who reads nothing else. It
// names what was asked.
func Sentence(r *record.Record) string {
	s := statement(r)
	if asked := Selection(r.Run.Selection); asked != "" {
		s += " (" + asked + ")"
	}
	return s + "."
}

func statement(r *record.Record) string {
	f := factsOf(r)
	if cut := Cut(r.Run); cut != "" {
		return f.cutShort(cut)
	}
	switch r.Run.Verdict {
	case record.Pass, record.Warn:
		return f.passed()
	case record.Fail:
		return f.failed()
	case record.Error:
		return fmt.Sprintf("No verdict on the firmware: the rig or the harness failed (%s)", firstCause(r))
	case record.NotApplicable:
		return fmt.Sprintf("No verdict on the firmware: none of %s applies to %s", f.asked(), f.who())
	}
	return fmt.Sprintf("No verdict on the firmware: %d of %s on %s did not run", f.n[record.NotRun], f.asked(), f.who())
}

// Cut says what ended a run before its end: "was killed", "was interrupted",
// "was out of time"; empty where nothing did. A record without an end is one
// of a run that was killed, or that goes on while it is read.
func Cut(r record.Run) string {
	switch {
	case r.UnderWay:
		return "is still under way"
	case r.Lost != "":
		return "is not known whole (" + r.Lost + ")"
	case r.Ended.IsZero() && r.Broke != "":
		return "broke off (" + r.Broke + ")"
	case r.Ended.IsZero():
		return "was killed before its end"
	case r.Interrupted:
		return "was interrupted"
	case r.TimedOut:
		return "was out of time"
	}
	return ""
}

// facts are what the sentences about a record are made of.
type facts struct {
	r        *record.Record
	n        map[record.Verdict]int
	results  int                   // specs × devices
	boards   []record.DeviceRecord // of each device an entry
	hubs     int
	emulated int // boards
}

func factsOf(r *record.Record) facts {
	f := facts{r: r, n: r.Count()}
	for _, n := range f.n {
		f.results += n
	}
	f.boards, f.hubs = boards(r)
	for _, d := range f.boards {
		if d.Emulated {
			f.emulated++
		}
	}
	return f
}

// who names the devices, and says which are made of software.
func (f facts) who() string {
	all, at := len(f.boards), ""
	if f.hubs > 1 {
		at = " at " + Plural(f.hubs, "hub")
		if f.emulated > 0 {
			at = "," + at
		}
	}
	if all == 1 {
		d := f.boards[0]
		return d.Board() + Emulated(d) + at
	}
	who := Plural(all, "device")
	switch f.emulated {
	case 0:
	case all:
		who += ", emulated"
	default:
		who += fmt.Sprintf(", %d of them emulated", f.emulated)
	}
	return who + at
}

// Devices counts the devices of a record, and the hubs where there are several.
func Devices(r *record.Record) string {
	all, hubs := boards(r)
	if hubs > 1 {
		return Plural(len(all), "device") + " at " + Plural(hubs, "hub")
	}
	return Plural(len(all), "device")
}

// Soundness counts the devices of a record by the worst that they have at any
// hub; empty for one device, of which the sentence tells.
func Soundness(r *record.Record) string {
	at := map[string][]record.Verdict{}
	for _, d := range r.Devices {
		at[d.Board()] = append(at[d.Board()], d.Verdict)
	}
	if len(at) < 2 {
		return ""
	}
	n := map[record.Verdict]int{}
	for _, verdicts := range at {
		n[record.Worst(verdicts...)]++
	}
	parts := []string{fmt.Sprintf("%d of %s sound", n[record.Pass]+n[record.Warn], Plural(len(at), "device"))}
	for _, kind := range []struct {
		verdict record.Verdict
		word    string
	}{{record.Fail, "failed"}, {record.Error, "kept from a verdict by the rig or the harness"}, {record.NotRun, "not run, or not whole"}, {record.NotApplicable, "asked nothing that applies"}} {
		if n[kind.verdict] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[kind.verdict], kind.word))
		}
	}
	return strings.Join(parts, ", ")
}

// boards are an entry of each device, and how many hubs it was tested at.
func boards(r *record.Record) (all []record.DeviceRecord, hubs int) {
	seen, at := map[string]bool{}, map[string]bool{}
	for _, d := range r.Devices {
		if !seen[d.Board()] {
			seen[d.Board()] = true
			all = append(all, d)
		}
		at[d.Hub.Name] = true
	}
	return all, len(at)
}

// Emulated follows a device's name in a sentence: ", emulated", with the
// faulty firmware that it was given; empty for hardware.
func Emulated(d record.DeviceRecord) string {
	switch {
	case !d.Emulated:
		return ""
	case len(d.Faults) > 0:
		return ", emulated with faulty firmware " + strings.Join(d.Faults, ", ")
	}
	return ", emulated"
}

// asked is how many results there should be.
func (f facts) asked() string {
	if len(f.r.Devices) == 1 {
		return Plural(f.results, "spec")
	}
	return Plural(f.results, "result")
}

// firmware names the firmware under test, as somebody named it: for the run,
// or every device of hardware for itself. Empty: nobody did, or the devices do
// not run one and the same.
func (f facts) firmware() string {
	if v := f.r.Firmware.Version; v != "" {
		return "Firmware " + v
	}
	var said []string
	for _, d := range f.r.Devices {
		if !d.Emulated && !slices.Contains(said, d.Firmware) {
			said = append(said, d.Firmware)
		}
	}
	if len(said) == 1 && said[0] != "" {
		return "Firmware " + said[0]
	}
	if v := f.r.Firmware.File; v != "" {
		return "Firmware " + v
	}
	return ""
}

// passed says of a green run what passed: the firmware, or some specs.
func (f facts) passed() string {
	specs, beside := f.specs(record.Pass, record.Warn), f.beside()
	rounds := ""
	if f.r.Run.Rounds > 1 && f.r.Run.Round == 0 {
		rounds = fmt.Sprintf(" in each of %d rounds", f.r.Run.Rounds)
	}
	name, hardware := f.firmware(), len(f.boards) > f.emulated
	if name != "" && hardware && f.r.Run.Selection.Whole {
		with := ""
		if w := f.n[record.Warn]; w > 0 {
			with = " with " + Plural(w, "warning")
		}
		return fmt.Sprintf("%s passed%s: %s on %s%s%s", name, with, specs, f.who(), rounds, beside)
	}
	if w := f.n[record.Warn]; w > 0 {
		beside = ", with " + Plural(w, "warning") + beside
	}
	s := fmt.Sprintf("%s passed on %s%s%s; %s", specs, f.who(), rounds, beside, noVerdict)
	if hardware && name == "" && f.r.Run.Selection.Whole {
		s += ", which nobody named"
	}
	return s
}

// specs counts the specs that ended so on any device.
func (f facts) specs(verdicts ...record.Verdict) string {
	ids := map[string]bool{}
	for _, d := range f.r.Devices {
		for _, s := range d.Specs {
			if slices.Contains(verdicts, s.Verdict) {
				ids[s.ID] = true
			}
		}
	}
	return Plural(len(ids), "spec")
}

// beside says how much of what was asked does not apply.
func (f facts) beside() string {
	switch n := f.n[record.NotApplicable]; {
	case n == 1:
		return ", 1 does not apply"
	case n > 1:
		return fmt.Sprintf(", %d do not apply", n)
	}
	return ""
}

// failed says what failed. One failure on hardware condemns a firmware,
// however little was asked; one of an emulated device says nothing of it.
func (f facts) failed() string {
	failures := 0
	hardware := false
	for _, d := range f.r.Devices {
		bad := d.Verdict == record.Fail
		for _, s := range d.Specs {
			if s.Verdict == record.Fail {
				failures++
			}
		}
		hardware = hardware || bad && !d.Emulated
	}
	what := fmt.Sprintf("%d of %s on %s", failures, f.asked(), f.who())
	name := f.firmware()
	if name == "" {
		name = "The firmware"
	}
	switch {
	case failures == 0 && hardware: // a device did not take its own identity back
		return name + " failed: " + firstCause(f.r)
	case failures == 0:
		return fmt.Sprintf("%s failed: %s; %s", f.who(), firstCause(f.r), noVerdict)
	case hardware:
		return name + " failed: " + what + f.notRun()
	}
	return fmt.Sprintf("%d of %s failed on %s%s; %s", failures, f.asked(), f.who(), f.notRun(), noVerdict)
}

func (f facts) notRun() string {
	if n := f.n[record.NotRun]; n > 0 {
		return fmt.Sprintf("; %d did not run", n)
	}
	return ""
}

// cutShort says how far a run came that did not come to its end.
func (f facts) cutShort(cut string) string {
	s := fmt.Sprintf("The run %s: %d of %s on %s had a result", cut, f.results-f.n[record.NotRun], f.asked(), f.who())
	if n := f.n[record.Fail]; n > 0 {
		s += fmt.Sprintf(", %d failed", n)
	}
	return s + "; " + noVerdict
}

func firstCause(r *record.Record) string {
	for _, d := range r.Devices {
		if d.Cause != "" {
			return d.Cause
		}
		for _, s := range d.Specs {
			if s.Verdict == record.Error {
				return s.ID + ": " + s.Message
			}
		}
	}
	return "see below"
}

// Plural is n things in words.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package selftest

import (
	"slices"
	"strings"

	"hilrig/fixtures"
	"hilrig/hw/emulator"
	"hilrig/record"
)

// Judge holds a run's record against what its devices' faults must cause.
// Devices are found by name; what the record does not hold did not run.
func Judge(cases []Case, r *record.Record) *record.Selftest {
	devices := map[string]record.DeviceRecord{}
	for _, d := range r.Devices {
		devices[d.Name] = d
	}
	t := &record.Selftest{Sound: []record.SoundRow{}, Faults: []record.FaultRow{}, Unproven: []string{}}
	turned := map[string][]string{}
	for _, c := range cases {
		d := devices[c.Device.Name]
		if c.Fault == nil {
			t.Sound = append(t.Sound, judgeSound(c, d))
			continue
		}
		row := JudgeFault(*c.Fault, d.Specs)
		if !slices.ContainsFunc(c.Specs, func(s fixtures.Spec) bool { return slices.Contains(c.Fault.CaughtBy, s.ID) }) {
			row.Verdict, row.Missing = record.NotApplicable, "none of the specs named for it was asked" // only what else it turns
		}
		row.Device = c.Device.Name
		t.Faults = append(t.Faults, row)
		for _, seen := range slices.Concat(row.Named, row.Collateral) {
			if alarmed(seen) {
				turned[seen.Spec] = append(turned[seen.Spec], c.Fault.Name)
			}
		}
	}
	t.Specs, t.Unproven = proven(cases, turned)
	t.Verdict = verdict(t)
	return t
}

// proven says of each spec that was held against a fault named for it which
// faults turned it; those that none did are unproven.
func proven(cases []Case, turned map[string][]string) (specs []record.SpecTurned, unproven []string) {
	unproven = []string{}
	seen := map[string]bool{}
	for _, c := range cases {
		if c.Fault == nil {
			continue
		}
		for _, s := range c.Specs {
			if seen[s.ID] || !slices.Contains(c.Fault.CaughtBy, s.ID) {
				continue
			}
			seen[s.ID] = true
			specs = append(specs, record.SpecTurned{Spec: s.ID, Faults: append([]string{}, turned[s.ID]...)})
			if len(turned[s.ID]) == 0 {
				unproven = append(unproven, s.ID)
			}
		}
	}
	slices.SortFunc(specs, func(a, b record.SpecTurned) int { return strings.Compare(a.Spec, b.Spec) })
	slices.Sort(unproven)
	return specs, unproven
}

// verdict is fail where a fault was missed or sound firmware was not all
// green, and not-run where only verdicts are missing.
func verdict(t *record.Selftest) record.Verdict {
	v := record.Pass
	if len(t.Unproven) > 0 {
		v = record.Fail
	}
	for _, row := range t.Sound {
		v = worse(v, row.Verdict)
	}
	for _, row := range t.Faults {
		v = worse(v, row.Verdict)
	}
	return v
}

func worse(a, b record.Verdict) record.Verdict {
	for _, v := range []record.Verdict{record.Fail, record.NotRun} {
		if a == v || b == v {
			return v
		}
	}
	return record.Pass
}

// JudgeFault judges what the specs said of a device with this fault. It is
// caught by a spec named for it that is red or warns, in words that name the
// fault, with a whole diagnosis.
func JudgeFault(f emulator.Fault, specs []record.SpecResult) record.FaultRow {
	row := record.FaultRow{Fault: f.Name, Doc: f.Doc, Stands: f.Stands, Verdict: record.Fail, Named: []record.Caught{}, Collateral: []record.Caught{}}
	verdictless := 0
	for _, s := range specs {
		said := strings.Join(append([]string{s.Message}, s.Warnings...), " ")
		seen := record.Caught{Spec: s.ID, Verdict: s.Verdict, Class: s.Class, Message: said, Names: missing(f.Words, said) == ""}
		if said == "" {
			seen.Message = s.Cause
		}
		switch {
		case !slices.Contains(f.CaughtBy, s.ID):
			if alarmed(seen) || s.Verdict == record.Error {
				row.Collateral = append(row.Collateral, seen)
			}
			continue
		case alarmed(seen) && !seen.Names:
			row.Missing = s.ID + " does not say " + missing(f.Words, said)
		case alarmed(seen) && undiagnosed(s) != "":
			row.Missing = s.ID + " is not diagnosed: it does not say " + undiagnosed(s)
		case alarmed(seen):
			row.Verdict = record.Pass
		case s.Verdict == record.NotRun || s.Verdict == record.Error:
			verdictless++
		}
		row.Named = append(row.Named, seen)
	}
	switch {
	case row.Verdict == record.Pass:
		row.Missing = ""
	case len(row.Named) == verdictless:
		row.Verdict, row.Missing = record.NotRun, "no spec named for it has a verdict"
	case row.Missing == "":
		row.Missing = "no spec named for it is red or warns"
	}
	return row
}

// undiagnosed is what a red result or a warning owes a person and does not
// say; empty: it says everything.
func undiagnosed(s record.SpecResult) string {
	for _, owed := range []struct {
		what string
		said bool
	}{
		{"what was expected", s.Expected != ""}, {"what was seen", s.Seen != ""}, {"why it matters", s.Why != ""},
		{"what to look at first", s.Look != ""}, {"where in the timeline it was", s.At > 0},
	} {
		if !owed.said {
			return owed.what
		}
	}
	return ""
}

// alarmed reports that a spec tells of a fault of the device.
func alarmed(c record.Caught) bool {
	return c.Verdict == record.Warn || c.Verdict == record.Fail && c.Class == record.ClassDevice
}

func missing(words []string, said string) string {
	for _, w := range words {
		if !strings.Contains(said, w) {
			return w
		}
	}
	return ""
}

func judgeSound(c Case, d record.DeviceRecord) record.SoundRow {
	row := record.SoundRow{Device: c.Device.Name, Profile: c.Profile, Verdict: record.Pass, Others: []record.Caught{}}
	if d.Cause != "" || len(d.Specs) == 0 {
		row.Verdict = record.NotRun
	}
	for _, s := range d.Specs {
		row.Seconds += s.Seconds
		switch s.Verdict {
		case record.Pass:
			row.Passed++
			continue
		case record.NotApplicable:
			continue
		case record.NotRun, record.Error:
			if row.Verdict == record.Pass {
				row.Verdict = record.NotRun
			}
		case record.Warn:
			if p, err := emulator.FindProfile(c.Profile); err == nil && slices.Contains(p.Warns, s.ID) {
				row.Passed++
				continue
			}
			row.Verdict = record.Fail
		default:
			row.Verdict = record.Fail
		}
		said := s.Message
		if said == "" {
			said = strings.Join(append(s.Warnings, s.Cause), " ")
		}
		row.Others = append(row.Others, record.Caught{Spec: s.ID, Verdict: s.Verdict, Class: s.Class, Message: said})
	}
	return row
}

// AsRecord is the judgement as a record of its own, with a spec for each fault
// and each sound profile, for reports that know nothing else (JUnit).
func AsRecord(t *record.Selftest, run record.Run) *record.Record {
	d := record.DeviceRecord{Name: "gallery", Type: "emulated"}
	for _, s := range t.Sound {
		r := record.SpecResult{ID: "sound/" + strings.TrimPrefix(s.Device, "sound-"), Text: "passes every spec", Verdict: s.Verdict, Seconds: s.Seconds}
		for _, o := range s.Others {
			r.Message += o.Spec + ": " + string(o.Verdict) + " " + o.Message + "; "
		}
		d.Specs = append(d.Specs, blamed(r))
	}
	for _, f := range t.Faults {
		r := record.SpecResult{ID: "fault/" + f.Fault, Text: "is caught: " + f.Doc, Verdict: f.Verdict, Message: f.Missing}
		d.Specs = append(d.Specs, blamed(r))
	}
	for _, id := range t.Unproven {
		d.Specs = append(d.Specs, blamed(record.SpecResult{ID: id, Text: "is turned red by a fault", Verdict: record.Fail, Message: "no fault turns it red"}))
	}
	out := &record.Record{Schema: record.Schema, Run: run, Devices: []record.DeviceRecord{d}}
	out.Conclude()
	return out
}

// blamed books what is not green on the harness: it is the harness that is
// judged here, not a device.
func blamed(r record.SpecResult) record.SpecResult {
	r.Labels = []string{}
	if r.Verdict == record.NotRun || r.Verdict == record.NotApplicable {
		r.Cause, r.Message = r.Message, ""
	}
	if r.Verdict == record.Fail {
		r.Class = record.Harness
	}
	return r
}

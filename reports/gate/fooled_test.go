package gate

import (
	"math"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

var catalogue = []Spec{
	{ID: "tls/version", Labels: []string{"core", "smoke"}}, {ID: "tls/expired", Labels: []string{"core"}}, {ID: "session/connect", Labels: []string{"core"}}, {ID: "soak/day", Labels: []string{"soak"}},
}

const (
	goodSum  = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	otherSum = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

const strictPolicy = `
policy: release
boards: [{type: ads300, at_least: 2}]
hubs: [local, lab]
required: ["tls/*", session/connect]
evidence: {max_age: 14d, catalogue: 4, hilrig: v1.0.0}
never_waived: [smoke]
`

// policyOf reads a policy that must be sound.
func policyOf(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := ReadPolicy("gate.yaml", []byte(text), catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sound is a question whose answer is PASS: one run of two boards at two hubs.
func sound(t *testing.T) *Question {
	t.Helper()
	r := runOf("20261127T100000Z-0001", now.Add(-2*time.Hour))
	return &Question{
		Policy: policyOf(t, strictPolicy), Runs: []Run{r}, Catalogue: catalogue, Now: now, Version: "v1.1.0",
		Firmware: Wanted{Version: "2.4.1", SHA256: goodSum},
	}
}

func runOf(id string, started time.Time) Run {
	r := &record.Record{
		Schema:   record.Schema,
		Run:      record.Run{ID: id, Rig: "bench", Version: "v1.1.0", Started: started, Ended: started.Add(time.Hour), Arguments: []string{"run"}, Selection: record.Selection{Catalogue: 4, Chosen: 3}},
		Firmware: record.Firmware{Version: "2.4.1", File: "fw.bin", SHA256: goodSum},
	}
	for _, serial := range []string{"A1", "A2"} {
		for _, hub := range []record.Hub{{Name: "local", Kind: "local"}, {Name: "lab", Kind: "broker"}} {
			d := record.DeviceRecord{Name: record.EntryName("slot-"+serial, hub.Name), Type: "ads300"}
			d.Hub, d.Hardware = hub, record.Hardware{Serial: serial, Known: record.Asked, Revision: "B"}
			d.Running = record.Running{Version: "2.4.1", SHA256: goodSum, Known: record.Flashed}
			for _, s := range catalogue[:3] {
				d.Specs = append(d.Specs, record.SpecResult{ID: s.ID, Labels: s.Labels, Verdict: record.Pass})
			}
			r.Devices = append(r.Devices, d)
		}
	}
	r.Conclude()
	return Run{ID: id, Given: true, Record: r, SHA256: "cc"}
}

// each changes every device of the first run.
func each(change func(*record.DeviceRecord)) func(*testing.T, *Question) {
	return func(_ *testing.T, q *Question) {
		r := q.Runs[0].Record
		for i := range r.Devices {
			change(&r.Devices[i])
		}
	}
}

// spec changes one result of the first device of the first run.
func spec(id string, change func(*record.SpecResult)) func(*testing.T, *Question) {
	return func(_ *testing.T, q *Question) {
		d := &q.Runs[0].Record.Devices[0]
		for i := range d.Specs {
			if d.Specs[i].ID == id {
				change(&d.Specs[i])
			}
		}
	}
}

func fails(s *record.SpecResult) {
	s.Verdict, s.Class, s.Message = record.Fail, record.ClassDevice, "took an expired certificate"
}

// unlisted adds a run that was not given.
func unlisted(change func(*Run)) func(*testing.T, *Question) {
	return func(_ *testing.T, q *Question) {
		r := runOf("20261127T080000Z-0000", now.Add(-4*time.Hour))
		r.Given = false
		change(&r)
		q.Runs = append(q.Runs, r)
	}
}

func withWaivers(text string) func(*testing.T, *Question) {
	return func(t *testing.T, q *Question) {
		var err error
		if q.Waivers, err = ReadWaivers("waivers.yaml", []byte(text), q.Policy, catalogue, now); err != nil {
			t.Fatal(err)
		}
	}
}

const waiver = "waivers: [{spec: tls/expired, type: ads300, owner: kim, reason: old stack, issue: FW-12, expires: 2026-12-24}]"

func both(all ...func(*testing.T, *Question)) func(*testing.T, *Question) {
	return func(t *testing.T, q *Question) {
		for _, f := range all {
			f(t, q)
		}
	}
}

func nothing(*testing.T, *Question) {}

// Every way that somebody could have a firmware shipped which has not shown what
// the policy asks for, and the rule that sees it.
func TestTheGateIsNotFooled(t *testing.T) {
	for _, c := range []struct {
		attempt string
		change  func(*testing.T, *Question)
		want    Word
		rule    string // the first that is not PASS
		text    string // in its text
	}{
		{"none: everything is as asked", nothing, Pass, "", ""},
		{"no run", func(_ *testing.T, q *Question) { q.Runs = nil }, Inconclusive, "runs", "no run was given"},
		{"a run of long ago", func(_ *testing.T, q *Question) { q.Now = now.AddDate(0, 1, 0) }, Inconclusive, "evidence", "more than 14d ago"},
		{"another image", each(func(d *record.DeviceRecord) { d.Running.SHA256 = otherSum }), Inconclusive, "evidence", "no device of it ran firmware 2.4.1"},
		{"another version on the board", each(func(d *record.DeviceRecord) {
			d.Running = record.Running{Version: "2.3.9", Known: record.Asked}
		}), Inconclusive, "evidence", "no device of it ran firmware 2.4.1"},
		{"a version that was typed", each(func(d *record.DeviceRecord) { d.Running.Known = record.Claimed }), Inconclusive, "evidence", "2.4.1, claimed, not asked"},
		{"a version that nobody knows", each(func(d *record.DeviceRecord) { d.Running = record.Running{} }), Inconclusive, "evidence", "nobody knows which firmware it ran"},
		{"an image whose version nobody says", func(t *testing.T, q *Question) {
			q.Firmware.Version, q.Runs[0].Record.Firmware.Version = "", ""
			each(func(d *record.DeviceRecord) { d.Running = record.Running{Version: "2.4.1", Known: record.Asked} })(t, q)
		}, Inconclusive, "evidence", "which version the image is"},
		{"a board made of software", each(func(d *record.DeviceRecord) { d.Emulated = true }), Inconclusive, "evidence", "it is emulated"},
		{"--fault", each(func(d *record.DeviceRecord) { d.Emulated, d.Faults = true, []string{"no-sni"} }), Inconclusive, "evidence", "faulty on purpose"},
		{"a selftest's record", func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Selftest = &record.Selftest{Verdict: record.Pass}
		}, Inconclusive, "evidence", "it is a selftest of the suites"},
		{"smoke specs alone", each(func(d *record.DeviceRecord) { d.Specs = d.Specs[:1] }), Inconclusive, "required tls/*", "tls/expired has no result on ads300 A1"},
		{"an older catalogue", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Selection.Catalogue = 3 }, Inconclusive, "evidence", "its catalogue had 3 specs"},
		{"an older hilrig", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Version = "v0.9.0" }, Inconclusive, "evidence", "made by hilrig v0.9.0"},
		{"a hilrig of no version", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Version = "devel" }, Inconclusive, "evidence", "made by hilrig devel"},
		{"a board fewer", func(_ *testing.T, q *Question) { q.Runs[0].Record.Devices = q.Runs[0].Record.Devices[:2] }, Inconclusive, "boards ads300", "1 board of type ads300, the policy asks for 2"},
		{"one board in two slots", each(func(d *record.DeviceRecord) { d.Hardware.Serial = "A1" }), Inconclusive, "boards ads300", "1 board of type ads300"},
		{"boards that nobody knows apart", each(func(d *record.DeviceRecord) { d.Hardware = record.Hardware{} }), Inconclusive, "boards ads300", "no serial number"},
		{"boards of another type", each(func(d *record.DeviceRecord) { d.Type = "ads200" }), Inconclusive, "boards ads300", "0 boards of type ads300"},
		{"a board that is dead", func(_ *testing.T, q *Question) {
			for i := range 2 {
				d := &q.Runs[0].Record.Devices[2+i]
				d.Running = record.Running{Version: "2.4.1", SHA256: goodSum, Known: record.Claimed}
				d.Specs = nil
			}
		}, Inconclusive, "boards ads300", "ads300 A2 was to run this firmware"},
		{"boards of another revision", func(t *testing.T, q *Question) {
			q.Policy = policyOf(t, strings.Replace(strictPolicy, "at_least: 2", "at_least: 2, revision: C", 1))
		}, Inconclusive, "boards ads300 revision C", "0 boards"},
		{"two hubs, of which one is missing", func(_ *testing.T, q *Question) {
			d := q.Runs[0].Record.Devices
			q.Runs[0].Record.Devices = []record.DeviceRecord{d[0], d[2]}
		}, Inconclusive, "hub lab", "was not tested at hub lab"},
		{"a required spec that does not apply", spec("tls/expired", func(s *record.SpecResult) { s.Verdict, s.Cause = record.NotApplicable, "the hub cannot" }), Inconclusive, "required tls/*", "tls/expired has no result on ads300 A1 at local: not-applicable, the hub cannot"},
		{"a required spec that was left out", spec("session/connect", func(s *record.SpecResult) { s.Verdict, s.Cause = record.NotRun, "interrupted" }), Inconclusive, "required session/connect", "not-run, interrupted"},
		{"a rig that broke", spec("tls/version", func(s *record.SpecResult) { s.Verdict, s.Class = record.Error, record.RigPort }), Inconclusive, "required tls/*", "tls/version has no result on ads300 A1 at local: error"},
		{"a failure", spec("tls/expired", fails), Fail, "required tls/*", "tls/expired on ads300 A1 at local failed in run 20261127T100000Z-0001: took an expired certificate"},
		{"a failure that was tried again", spec("tls/expired", func(s *record.SpecResult) {
			s.Flaky, s.Attempts = true, []record.Attempt{{Verdict: record.Fail, Class: record.ClassDevice}, {Verdict: record.Pass}}
		}), Fail, "flaky", "tls/expired on ads300 A1 at local passed, and failed in run"},
		{"a failure of a spec that nobody requires", func(_ *testing.T, q *Question) {
			d := &q.Runs[0].Record.Devices[0]
			d.Specs = append(d.Specs, record.SpecResult{ID: "soak/day", Verdict: record.Fail, Message: "it stopped"})
		}, Fail, "other specs", "soak/day on ads300 A1"},
		{"a board that runs another firmware in the end", func(_ *testing.T, q *Question) {
			d := &q.Runs[0].Record.Devices[0]
			d.Cause, d.Class = "its firmware changed between two rounds", record.ClassDevice
		}, Fail, "other specs", "its firmware changed"},
		{"a pass before a failure", func(_ *testing.T, q *Question) {
			later := runOf("20261127T110000Z-0002", now.Add(-90*time.Minute))
			fails(&later.Record.Devices[0].Specs[1])
			q.Runs = append([]Run{later}, q.Runs...)
		}, Fail, "required tls/*", "failed in run 20261127T110000Z-0002"},
		{"a pass after a failure", func(_ *testing.T, q *Question) {
			earlier := runOf("20261127T080000Z-0000", now.Add(-4*time.Hour))
			fails(&earlier.Record.Devices[0].Specs[1])
			q.Runs = append(q.Runs, earlier)
		}, Fail, "flaky", "failed in run 20261127T080000Z-0000"},
		{"the green one of two runs", unlisted(func(r *Run) { fails(&r.Record.Devices[0].Specs[1]) }), Fail, "flaky", "failed in run 20261127T080000Z-0000"},
		{"a run that was killed", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Ended = time.Time{} }, Inconclusive, "runs", "the run was killed, or is still going on"},
		{"a run that was killed when it turned red, and is kept back", unlisted(func(r *Run) { r.Record.Run.Ended = time.Time{} }), Inconclusive, "unlisted", "which was not given: the record has no end"},
		{"a run that is under way", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.UnderWay = true }, Inconclusive, "runs", "still going on"},
		{"a run whose folder was deleted", unlisted(func(r *Run) { r.Record, r.Damage, r.Began = nil, "its folder is gone", now.Add(-4*time.Hour) }), Inconclusive, "unlisted", "which was not given: its folder is gone"},
		{"one that was deleted too long ago to count", unlisted(func(r *Run) { r.Record, r.Damage, r.Began = nil, "its folder is gone", now.AddDate(0, -1, 0) }), Pass, "", ""},
		{"a killed run of another firmware", unlisted(func(r *Run) {
			r.Record.Run.Ended, r.Record.Firmware = time.Time{}, record.Firmware{}
			for i := range r.Record.Devices {
				r.Record.Devices[i].Running = record.Running{Version: "2.3.9", Known: record.Asked}
			}
		}), Pass, "", ""},
		{"a record that was edited", func(_ *testing.T, q *Question) { q.Runs[0].Edited = []string{"run.json"} }, Inconclusive, "runs", "changed since the run ended: run.json"},
		{"a transcript that was edited", func(_ *testing.T, q *Question) { q.Runs[0].Edited = []string{"devices/a/transcript.log"} }, Inconclusive, "runs", "transcript.log"},
		{"a record that cannot be read", func(_ *testing.T, q *Question) { q.Runs[0].Record, q.Runs[0].Damage = nil, "the file is empty" }, Inconclusive, "runs", "the file is empty"},
		{"a record made anew, of which something is lost", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Lost = "line 4" }, Inconclusive, "runs", "is not whole"},
		{"a history that is cut short", func(_ *testing.T, q *Question) { q.NoHistory = "3 of its runs are missing" }, Inconclusive, "unlisted", "3 of its runs are missing"},
		{"a history that was begun anew", func(_ *testing.T, q *Question) { q.Runs[0].Unknown = true }, Inconclusive, "unlisted", "does not know run"},
		{"a clock that was set back", func(_ *testing.T, q *Question) { q.Runs[0].ClockBack = true }, Inconclusive, "runs", "clock had been set back"},
		{"a clock that was set back during the run", func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Run.Ended = q.Runs[0].Record.Run.Started.Add(-time.Minute)
		}, Inconclusive, "runs", "it ended before it began"},
		{"a clock that was set forward", func(_ *testing.T, q *Question) { q.Now = now.Add(-24 * time.Hour) }, Inconclusive, "evidence", "ended in the future"},
		{"a failure that is too old to count", both(func(_ *testing.T, q *Question) {
			q.Runs = append(q.Runs, runOf("20261101T100000Z-0000", now.AddDate(0, 0, -26)))
			fails(&q.Runs[1].Record.Devices[0].Specs[1])
		}), Inconclusive, "evidence", "fails tls/expired in run 20261101T100000Z-0000, which does not count"},
		{"a run that is not sealed, where a seal is asked for", both(sealedPolicy, func(_ *testing.T, q *Question) { q.Runs[0].Unsealed = "it is not sealed" }), Inconclusive, "evidence", "it is not sealed"},
		{"a run that is sealed by another key", both(sealedPolicy, func(_ *testing.T, q *Question) { q.Runs[0].Unsealed = "its seal is of another key" }), Inconclusive, "evidence", "of another key"},
		{"a run that is sealed as it should be", sealedPolicy, Pass, "", ""},
		{"a seal that is broken, where none is asked for", func(_ *testing.T, q *Question) {
			q.Runs[0].BadSeal = "changed since it was sealed: run.json"
		}, Inconclusive, "runs", "changed since it was sealed: run.json"},
		{"a waiver over a failure", both(spec("tls/expired", fails), withWaivers(waiver)), Pass, "", ""},
		{"a waiver for another board", both(spec("tls/expired", fails), withWaivers(strings.Replace(waiver, "type: ads300", "board: A2", 1))), Fail, "required tls/*", "A1"},
		{"a waiver over what was not run", both(spec("tls/expired", func(s *record.SpecResult) { s.Verdict = record.NotRun }), withWaivers(waiver)), Inconclusive, "required tls/*", "not-run"},
		{"two firmwares, and nobody says which", func(_ *testing.T, q *Question) {
			q.Firmware = Wanted{}
			other := runOf("20261127T110000Z-0002", now.Add(-time.Hour))
			for i := range other.Record.Devices {
				other.Record.Devices[i].Running = record.Running{Version: "2.4.2", SHA256: otherSum, Known: record.Flashed}
			}
			q.Runs = append(q.Runs, other)
		}, Inconclusive, "firmware", "the runs are of 2 firmwares"},
		{"one board that two slots write in two ways", func(_ *testing.T, q *Question) {
			for i := range 2 {
				q.Runs[0].Record.Devices[2+i].Hardware.Serial = "a1 "
			}
		}, Inconclusive, "boards ads300", "1 board of type ads300, the policy asks for 2"},
		{"a spec that only looks like a required one", spec("tls/expired", func(s *record.SpecResult) { s.ID = "tls/\u0435xpired" }), Inconclusive, "required tls/*", "tls/expired has no result on ads300 A1 at local"},
		{"a failure under a name that only looks like one that is waived", both(withWaivers(waiver), spec("tls/expired", fails), spec("tls/expired", func(s *record.SpecResult) { s.ID = "tls/\u0435xpired" })), Fail, "other specs", "took an expired certificate"},
		{"a verdict that is none", spec("tls/expired", func(s *record.SpecResult) { s.Verdict = "PASS" }), Inconclusive, "required tls/*", "tls/expired has no result on ads300 A1 at local: PASS"},
		{"a verdict that is none, after a failure at its first attempt", spec("tls/expired", func(s *record.SpecResult) {
			s.Verdict, s.Attempts = "passed", []record.Attempt{{Verdict: record.Fail}, {Verdict: "passed"}}
		}), Inconclusive, "required tls/*", "passed"},
		{"a run that began after it was judged, and has no date of its end", func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Run.Started, q.Runs[0].Record.Run.Ended = now.Add(time.Hour), time.Time{}
		}, Inconclusive, "runs", "killed"},
		{"a run of a year ago whose end was dated today in another time zone", func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Run.Ended = now.AddDate(-1, 0, 0).In(time.FixedZone("far", 14*3600))
			q.Runs[0].Record.Run.Started = q.Runs[0].Record.Run.Ended.Add(-time.Hour)
		}, Inconclusive, "evidence", "more than 14d ago"},
		{"a hub whose name only looks like the one that is asked for", func(_ *testing.T, q *Question) {
			for i := range q.Runs[0].Record.Devices {
				if h := &q.Runs[0].Record.Devices[i].Hub; h.Name == "lab" {
					h.Name = "1ab"
				}
			}
		}, Inconclusive, "hub lab", "was not tested at hub lab"},
		{"the hash of the image in capitals, of another image", each(func(d *record.DeviceRecord) { d.Running.SHA256 = strings.ToUpper(otherSum) }), Inconclusive, "evidence", "no device of it ran firmware 2.4.1"},
		{"a catalogue of more specs than any", func(_ *testing.T, q *Question) {
			q.Runs[0].Record.Run.Selection.Catalogue = math.MinInt
		}, Inconclusive, "evidence", "the policy asks for 4"},
		{"an area that may fail, over a required spec", both(func(t *testing.T, q *Question) {
			q.Policy = policyOf(t, strictPolicy+"areas: {tls: {fail: 1000000}, '*': {fail: 1000000}}\n")
		}, spec("tls/expired", fails)), Fail, "required tls/*", "tls/expired on ads300 A1"},
		{"an accept over a failure", both(func(t *testing.T, q *Question) {
			q.Policy = policyOf(t, strictPolicy+"accept: [{spec: '*', because: none}]\n")
		}, spec("tls/expired", fails)), Fail, "required tls/*", "tls/expired on ads300 A1"},
	} {
		t.Run(c.attempt, func(t *testing.T) {
			q := sound(t)
			c.change(t, q)
			v := Judge(*q)
			if v.Verdict != c.want {
				t.Errorf("%s, want %s", v.Verdict, c.want)
			}
			var first Rule
			for _, r := range v.Rules {
				if r.Verdict == c.want && r.Verdict != Pass {
					first = r
					break
				}
			}
			if first.Name != c.rule || !strings.Contains(first.Text, c.text) {
				t.Errorf("rule %q: %q, want %q with %q", first.Name, first.Text, c.rule, c.text)
			}
			if t.Failed() {
				for _, r := range v.Rules {
					t.Logf("%-14s %-20s %s", r.Verdict, r.Name, strings.Join(append(r.Details, r.Text), " | "))
				}
			}
		})
	}
}

func sealedPolicy(t *testing.T, q *Question) {
	q.Policy = policyOf(t, strings.Replace(strictPolicy, "max_age: 14d", "max_age: 14d, sealed: true", 1))
}

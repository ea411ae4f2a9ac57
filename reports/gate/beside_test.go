package gate

import (
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// attempt is a change of a sound question, and what comes of it: the verdict, and
// the first rule that says so, with a text; none where the verdict is PASS.
type attempt struct {
	what   string
	change func(*testing.T, *Question)
	want   Word
	rule   string
	text   string
}

func tried(t *testing.T, all []attempt) {
	t.Helper()
	for _, a := range all {
		t.Run(a.what, a.judged)
	}
}

func (a attempt) judged(t *testing.T) {
	q := sound(t)
	a.change(t, q)
	v := Judge(*q)
	var first Rule
	for _, r := range v.Rules {
		if r.Verdict == a.want && a.want != Pass {
			first = r
			break
		}
	}
	if v.Verdict == a.want && first.Name == a.rule && strings.Contains(first.Text, a.text) {
		return
	}
	t.Errorf("%s, rule %q: %q; want %s, %q with %q", v.Verdict, first.Name, first.Text, a.want, a.rule, a.text)
	for _, r := range v.Rules {
		t.Logf("%-14s %-20s %s", r.Verdict, r.Name, strings.Join(append(r.Details, r.Text), " | "))
	}
}

// ranOnly makes a run's boards know their firmware in one way.
func ranOnly(r *record.Record, version, sum string, known record.Origin) {
	r.Firmware = record.Firmware{Version: version, SHA256: sum}
	for i := range r.Devices {
		r.Devices[i].Running = record.Running{Version: version, SHA256: sum, Known: known}
	}
}

// Ways to have a run of the firmware pass for one of another, or one of another
// for one of it.
func TestAFirmwareIsKnownByEachOfItsNames(t *testing.T) {
	red := func(version, sum string, known record.Origin) func(*testing.T, *Question) {
		return unlisted(func(r *Run) {
			ranOnly(r.Record, version, sum, known)
			fails(&r.Record.Devices[0].Specs[1])
		})
	}
	asked := func(w Wanted) func(*testing.T, *Question) {
		return func(_ *testing.T, q *Question) { q.Firmware = w }
	}
	tried(t, []attempt{
		{"a red run that was edited to be of another firmware", both(red("9.9.9", otherSum, record.Flashed), func(_ *testing.T, q *Question) { q.Runs[1].Edited = []string{"run.json"} }), Inconclusive, "unlisted", "which was not given: changed since the run ended: run.json"},
		{"one whose seal is broken", both(red("9.9.9", otherSum, record.Flashed), func(_ *testing.T, q *Question) { q.Runs[1].BadSeal = "its seal is of run 1" }), Inconclusive, "unlisted", "its seal is of run 1"},
		{"a whole run of another firmware", red("9.9.9", otherSum, record.Flashed), Pass, "", ""},
		{"a red run by the version alone, where the image alone is asked for", both(asked(Wanted{SHA256: goodSum}), red("2.4.1", "", record.Asked)), Inconclusive, "evidence", "fails tls/expired in run 20261127T080000Z-0000, which does not count"},
		{"a red run by the image alone, where the version alone is asked for", both(asked(Wanted{Version: "2.4.1"}), red("", goodSum, record.Flashed)), Fail, "flaky", "failed in run 20261127T080000Z-0000"},
		{"another image of this version, where the image is asked for", both(asked(Wanted{SHA256: goodSum}), red("2.4.1", otherSum, record.Flashed)), Pass, "", ""},
		{"two images of one version, where the version is asked for", both(asked(Wanted{Version: "2.4.1"}), unlisted(func(r *Run) { ranOnly(r.Record, "2.4.1", otherSum, record.Flashed) })), Inconclusive, "firmware", "results of 2 images count"},
		{"two images of one version, one of which was typed", both(asked(Wanted{Version: "2.4.1"}), unlisted(func(r *Run) { ranOnly(r.Record, "2.4.1", otherSum, record.Claimed) })), Pass, "", ""},
		{"a version that two boards say, of an image that one run names", both(asked(Wanted{Version: "2.4.1"}), unlisted(func(r *Run) { ranOnly(r.Record, "2.4.1", "", record.Asked) })), Pass, "", ""},
	})
}

// Ways to have boards count that nobody asked for, and not those that were.
func TestABoardIsCountedAsWhatItIs(t *testing.T) {
	policy := func(was, is string) func(*testing.T, *Question) {
		return func(t *testing.T, q *Question) {
			q.Policy = policyOf(t, strings.Replace(strictPolicy, was, is, 1))
		}
	}
	revisionB := policy("at_least: 2", "at_least: 2, revision: B")
	another := func(revision string) func(*testing.T, *Question) {
		return func(_ *testing.T, q *Question) {
			d := q.Runs[0].Record.Devices[0]
			d.Name, d.Hardware = "slot-A3", record.Hardware{Serial: "A3", Known: record.Asked, Revision: revision}
			q.Runs[0].Record.Devices = append(q.Runs[0].Record.Devices, d)
		}
	}
	noRevision := func(r *Run) {
		for i := range r.Record.Devices {
			r.Record.Devices[i].Hardware.Revision = ""
		}
	}
	tried(t, []attempt{
		{"a red run of these boards that leaves their revision out", both(revisionB, unlisted(func(r *Run) {
			noRevision(r)
			fails(&r.Record.Devices[0].Specs[1])
		})), Fail, "flaky", "failed in run 20261127T080000Z-0000"},
		{"a board of which nobody says the revision", both(revisionB, another("")), Inconclusive, "boards ads300 revision B", "nobody says which revision ads300 A3 has"},
		{"a board of another revision", both(revisionB, another("C")), Pass, "", ""},
		{"a second run in which no board was that the policy asks for", both(twoRuns, unlisted(func(r *Run) {
			for i := range r.Record.Devices {
				r.Record.Devices[i].Type = "ads200"
			}
		})), Inconclusive, "evidence", "1 run accepted, the policy asks for 2"},
	})
}

// Ways to lose a failure behind something that is no answer.
func TestAFailureIsNotLostBehindATrouble(t *testing.T) {
	troubled := func(s *record.SpecResult) {
		s.Verdict, s.Class, s.Message = record.Error, record.RigPort, "port is gone"
		s.Attempts = []record.Attempt{{Verdict: record.Fail, Class: record.ClassDevice}, {Verdict: record.Error, Class: record.RigPort}}
	}
	accepted := func(t *testing.T, q *Question) {
		q.Policy = policyOf(t, strictPolicy+"accept: [{spec: tls/expired, because: the hub cannot}]\n")
	}
	loose := func(t *testing.T, q *Question) {
		q.Policy = policyOf(t, strings.Replace(strictPolicy, `["tls/*", session/connect]`, "[tls/version]", 1))
	}
	tried(t, []attempt{
		{"of a required spec", spec("tls/expired", troubled), Inconclusive, "required tls/*", "error, port is gone"},
		{"of one that may be without a result", both(accepted, spec("tls/expired", troubled)), Inconclusive, "required tls/*", "error, port is gone"},
		{"of one that nobody requires", both(loose, spec("tls/expired", troubled)), Inconclusive, "other specs", "failed in run 20261127T100000Z-0001, and ended with error"},
		{"of one for which somebody answers", both(loose, withWaivers(waiver), spec("tls/expired", troubled)), Pass, "", ""},
		{"and passed in a later run", both(loose, func(_ *testing.T, q *Question) { q.Policy.Flaky = 1 }, unlisted(func(r *Run) { troubled(&r.Record.Devices[0].Specs[1]) })), Pass, "", ""},
		{"of a device as a whole, in a run that does not count", unlisted(func(r *Run) {
			r.Record.Run.Selection.Catalogue = 1
			r.Record.Devices[0].Cause, r.Record.Devices[0].Class = "its firmware changed", record.ClassDevice
		}), Inconclusive, "evidence", "fails as a whole in run 20261127T080000Z-0000, which does not count: its firmware changed"},
	})
}

// A board that two lines of the policy ask for is one board, and is told as such.
func TestABoardIsToldOnce(t *testing.T) {
	q := sound(t)
	q.Policy = policyOf(t, strings.Replace(strictPolicy, "boards: [{type: ads300, at_least: 2}]", "boards: [{type: ads300, at_least: 2}, {type: ads300, revision: B}]", 1))
	if v := Judge(*q); v.Verdict != Pass || len(v.Boards) != 2 || !strings.HasSuffix(v.Sentence(), "on 2 boards") {
		t.Errorf("%s: %+v", v.Sentence(), v.Boards)
	}
}

// A board of which some results are a program's is told as emulated.
func TestABoardThatIsPartlyEmulatedIsTold(t *testing.T) {
	q := sound(t)
	q.Policy = policyOf(t, strings.Replace(strictPolicy, "max_age: 14d", "max_age: 14d, emulated: true", 1))
	r := runOf("20261127T080000Z-0000", now.Add(-4*time.Hour))
	for i := range r.Record.Devices {
		r.Record.Devices[i].Emulated = i < 2
	}
	q.Runs[0].Record.Devices[0].Emulated = false
	q.Runs = append(q.Runs, r)
	v := Judge(*q)
	for _, b := range v.Boards {
		if b.Emulated != (b.Serial == "A1") {
			t.Errorf("%+v", b)
		}
	}
}

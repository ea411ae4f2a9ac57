package requirements_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/record/requirements"
)

var catalogue = []requirements.Spec{
	{ID: "tls/version", Labels: []string{"core"}}, {ID: "tls/expired", Labels: []string{"core"}}, {ID: "session/will"}, {ID: "soak/steady", Labels: []string{"soak"}},
}

const head = "requirements: mine\nlist:\n"

// A list that is not understood whole is none, and the line is said.
func TestABrokenListIsAUsageFailure(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "one YAML document",
		"requirements: x\n": "line 1: lacks list",
		head + "  - {id: A, specs: [tls/expird]}":                                      "line 3: requirement A: no spec of the catalogue is tls/expird, did you mean tls/expired?",
		head + "  - {id: A}\n  - id: B\n    specs:\n      - tls/*\n      - label:gold": "line 7: requirement B: no spec of the catalogue is label:gold",
		head + "  - {id: A}\n  - {id: B}\n  - {id: A}":                                 "line 5: requirement A stands on line 3 already",
		head + "  - {id: A, spec: tls/expired}":                                        "line 3: list.0: unknown key spec, did you mean specs?",
		head + "  - {text: x}":                                                         "line 3: list.0: lacks id",
		head + "  - {id: 7}":                                                           "line 3: list.0.id",
		head + "  - {id: A, specs: tls/expired}":                                       "line 3: list.0.specs",
		head + "  - {id: A, specs: [../x]}":                                            "line 3: list.0.specs.0",
		"requirements: x\nlist: []":                                                    "line 2: list",
		head + "  - &a {id: A}":                                                        "anchors",
		head + "  - {id: A, id: B}":                                                    "",
	} {
		l, err := requirements.Read("r.yaml", []byte(text), catalogue)
		if l != nil || record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "r.yaml") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func read(t *testing.T, text string) *requirements.List {
	t.Helper()
	l, err := requirements.Read("r.yaml", []byte(text), catalogue)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestASpecKnowsItsRequirements(t *testing.T) {
	l := read(t, head+"  - {id: A, specs: ['tls/*']}\n  - {id: B, specs: ['label:core', soak/steady]}\n  - {id: C}\n")
	for spec, want := range map[string][]string{"tls/version": {"A", "B"}, "soak/steady": {"B"}, "session/will": nil, "nope": nil} {
		if got := l.Of(spec); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", spec, got, want)
		}
	}
	var none *requirements.List
	if none.Of("tls/version") != nil || none.Judge(&record.Record{}) != nil {
		t.Error("no list has requirements")
	}
}

func result(id string, v record.Verdict) record.SpecResult {
	return record.SpecResult{ID: id, Verdict: v, Message: "m", Cause: "c"}
}

func run(devices ...[]record.SpecResult) *record.Record {
	r := &record.Record{Run: record.Run{Started: time.Unix(1, 0), Ended: time.Unix(2, 0)}}
	for i, specs := range devices {
		r.Devices = append(r.Devices, record.DeviceRecord{Name: string(rune('a' + i)), Specs: specs})
	}
	r.Conclude()
	return r
}

// A requirement has passed only where every spec of it passed on every device.
func TestAVerdictOnARequirement(t *testing.T) {
	const both = head + "  - {id: A, specs: ['tls/*']}"
	version := func(v record.Verdict) record.SpecResult { return result("tls/version", v) }
	expired := func(v record.Verdict) record.SpecResult { return result("tls/expired", v) }
	of := func(all ...record.SpecResult) []record.SpecResult { return all }
	killed := run(of(version(record.Pass), expired(record.Pass)))
	killed.Run.Ended = time.Time{}
	for _, c := range []struct {
		name, list string
		r          *record.Record
		word, why  string
	}{
		{"all passed", both, run(of(version(record.Pass), expired(record.Pass))), "pass", ""},
		{"one warns", both, run(of(version(record.Warn), expired(record.Pass))), "warn", "tls/version on a: warn"},
		{"one fails", both, run(of(version(record.Pass), expired(record.Fail))), "fail", "tls/expired on a: fail, m"},
		{"one fails on another device", both, run(of(version(record.Pass), expired(record.Pass)), of(version(record.Pass), expired(record.Fail))), "fail", "tls/expired on b"},
		{"the rig fails", both, run(of(version(record.Pass), expired(record.Error))), "error", "tls/expired on a: error"},
		{"one was not asked", both, run(of(version(record.Pass))), "not-run", "the run has not asked tls/expired"},
		{"one was not asked, the other fails", both, run(of(version(record.Fail))), "fail", "the run has not asked tls/expired"},
		{"one was not asked on one device", both, run(of(version(record.Pass), expired(record.Pass)), of(version(record.Pass))), "not-run", "tls/expired was not asked on b"},
		{"none was asked", both, run(of(result("session/will", record.Pass))), "not asked", "the run has not asked tls/version, tls/expired"},
		{"no device", both, run(), "not asked", ""},
		{"one does not apply", both, run(of(version(record.Pass), expired(record.NotApplicable))), "pass", "tls/expired on a: not-applicable"},
		{"none applies", both, run(of(version(record.NotApplicable), expired(record.NotApplicable))), "not-applicable", ""},
		{"a verdict that nobody knows", both, run(of(version(record.Pass), expired("gold"))), "not-run", ""},
		{"no spec", head + "  - {id: A, because: by hand}", run(of(version(record.Pass))), "not covered", "by hand"},
		{"no spec and no reason", head + "  - {id: A}", run(of(version(record.Pass))), "not covered", "no spec shows it"},
		{"the run was killed", both, killed, "not-run", "the run was killed"},
	} {
		l := read(t, c.list).Judge(c.r).Lines[0]
		if l.Word() != c.word || !strings.Contains(strings.Join(l.Why, "\n"), c.why) {
			t.Errorf("%s: %s, %v; want %s, %s", c.name, l.Word(), l.Why, c.word, c.why)
		}
	}
}

func TestTheTableSaysWhatIsNotCovered(t *testing.T) {
	l := read(t, head+"  - {id: good, specs: [tls/version], because: only 1.2}\n  - {id: 'b|ad', text: '<b>', specs: [tls/expired]}\n  - {id: none}\n")
	table := l.Judge(run([]record.SpecResult{result("tls/version", record.Pass), result("tls/expired", record.Fail), result("session/will", record.Pass)}))
	if want := "Of 3 requirements of mine: 1 passed, 1 failed, 1 not covered by any spec."; table.Sentence() != want {
		t.Errorf("%s", table.Sentence())
	}
	var b bytes.Buffer
	if err := table.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, want := range []string{`| b\|ad &lt;b> | fail | tls/expired |`, "| none  | not covered |", "| good  | pass | tls/version | only 1.2 |", "1 spec of the run belongs to no requirement: session/will"} {
		if i := strings.Index(b.String(), want); i < at {
			t.Errorf("%s stands too early, or nowhere, in\n%s", want, b.String())
		} else {
			at = i
		}
	}
}

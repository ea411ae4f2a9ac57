package gate

import (
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// given adds a run that was given beside the sound one.
func given(change func(*Run)) func(*testing.T, *Question) {
	return func(_ *testing.T, q *Question) {
		r := runOf(q.Runs[0].ID, q.Runs[0].Record.Run.Started)
		change(&r)
		q.Runs = append(q.Runs, r)
	}
}

func twoRuns(_ *testing.T, q *Question) { q.Policy.Evidence.Runs = 2 }

// Ways to have one thing counted as two, or two as one.
func TestWhatIsThereTwiceCountsOnce(t *testing.T) {
	for _, c := range []struct {
		attempt string
		change  func(*testing.T, *Question)
		want    Word
		rule    string
		text    string
	}{
		{"one run, given twice", given(func(*Run) {}), Pass, "", ""},
		{"one run, given twice, where two are asked for", both(twoRuns, given(func(*Run) {})), Inconclusive, "evidence", "1 run accepted, the policy asks for 2"},
		{"a copy of a run that says something else", given(func(r *Run) { r.SHA256 = "dd" }), Inconclusive, "runs", "two folders hold different things of it"},
		{"a copy of a run under another id", both(twoRuns, given(func(r *Run) { r.ID = "20261127T100000Z-0002"; r.Record.Run.ID = r.ID })), Inconclusive, "runs", "it is run 20261127T100000Z-0002 under another id"},
		{"another rig's run that began at the same moment", given(func(r *Run) { r.ID = "20261127T100000Z-0002"; r.Record.Run.Host = "lab-2" }), Pass, "", ""},
		{"a device that stands twice in its record", func(_ *testing.T, q *Question) {
			r := q.Runs[0].Record
			r.Devices = append(r.Devices, r.Devices[0])
		}, Inconclusive, "runs", "its record has device slot-A1@local twice"},
		{"a spec that stands twice, red and green", func(_ *testing.T, q *Question) {
			d := &q.Runs[0].Record.Devices[0]
			d.Specs = append(d.Specs, record.SpecResult{ID: "tls/expired", Verdict: record.Fail})
		}, Inconclusive, "runs", "its record has tls/expired twice on device slot-A1@local"},
		{"a run that ended tomorrow", func(_ *testing.T, q *Question) { q.Runs[0].Record.Run.Ended = now.Add(24 * time.Hour) }, Inconclusive, "evidence", "ended in the future"},
		{"a version with a space behind it", func(_ *testing.T, q *Question) { q.Firmware = Wanted{Version: "2.4.1 "} }, Inconclusive, "evidence", "no device of it ran firmware 2.4.1 "},
		{"a verdict that there is not", spec("tls/expired", func(s *record.SpecResult) { s.Verdict = "PASS" }), Inconclusive, "required tls/*", "tls/expired has no result on ads300 A1 at local"},
		{"an image's hash in upper case", func(_ *testing.T, q *Question) { q.Firmware = Wanted{SHA256: strings.ToUpper(goodSum)} }, Inconclusive, "evidence", "no device of it ran"},
	} {
		t.Run(c.attempt, func(t *testing.T) {
			q := sound(t)
			c.change(t, q)
			v := Judge(*q)
			var first Rule
			for _, r := range v.Rules {
				if r.Verdict != Pass {
					first = r
					break
				}
			}
			if v.Verdict != c.want || first.Name != c.rule || !strings.Contains(first.Text, c.text) {
				t.Errorf("%s, rule %q: %q; want %s, %q with %q", v.Verdict, first.Name, first.Text, c.want, c.rule, c.text)
			}
		})
	}
}

// What YAML can say in two ways is taken in none of them.
func TestYAMLTricksAreRefused(t *testing.T) {
	p := policyOf(t, strictPolicy)
	readPolicy := func(text string) error { _, err := ReadPolicy("f.yaml", []byte(text), catalogue); return err }
	readWaivers := func(text string) error {
		_, err := ReadWaivers("f.yaml", []byte(text), p, catalogue, now)
		return err
	}
	body := strings.TrimSuffix(strings.TrimPrefix(waiver, "waivers: [{"), "}]")
	for _, c := range []struct {
		trick string
		read  func(string) error
		text  string
	}{
		{"a key twice", readPolicy, strictPolicy + "flaky: 0\nflaky: 9\n"},
		{"a second document", readPolicy, strictPolicy + "---\nflaky: 9\n"},
		{"a merge key", readPolicy, strictPolicy + "evidence2: &e {emulated: true}\nareas: {<<: *e}\n"},
		{"a number for a version", readPolicy, strictPolicy + "firmware: {version: 2.4}\n"},
		{"a hash in upper case", readPolicy, strictPolicy + "firmware: {sha256: " + strings.ToUpper(goodSum) + "}\n"},
		{"yes for true", readPolicy, strings.Replace(strictPolicy, "max_age: 14d", "max_age: 14d, emulated: yes", 1)},
		{"boards, none", readPolicy, strings.Replace(strictPolicy, "at_least: 2", "at_least: 0", 1)},
		{"a bound below nothing", readPolicy, strictPolicy + "flaky: -1\n"},
		{"a tag", readPolicy, strictPolicy + "flaky: !!str 9\n"},
		{"a seal by text that is no key", readPolicy, strings.Replace(strictPolicy, "max_age: 14d", "max_age: 14d, sealed: anybody", 1)},
		{"a key in another case", readPolicy, strictPolicy + "Flaky: 9\n"},
		{"waivers that share an anchor", readWaivers, "waivers: [&w {" + body + "}, *w]"},
		{"a waiver's key twice", readWaivers, "waivers: [{" + body + ", expires: 2026-12-25}]"},
		{"waivers twice", readWaivers, waiver + "\n" + waiver},
		{"a waiver for every spec", readWaivers, strings.Replace(waiver, "tls/expired", "'*'", 1)},
		{"a day with an hour", readWaivers, strings.Replace(waiver, "2026-12-24", "2026-12-24T00:00:00Z", 1)},
		{"a day that is text of another script", readWaivers, strings.Replace(waiver, "2026-12-24", "٢٠٢٦-12-24", 1)},
		{"an owner that is nobody", readWaivers, strings.Replace(waiver, "kim", "''", 1)},
		{"a reason made of blanks", readPolicy, strictPolicy + "accept: [{spec: tls/*, because: ' '}]\n"},
		{"an owner made of blanks", readWaivers, strings.Replace(waiver, "kim", "' '", 1)},
	} {
		if err := c.read(c.text); record.ClassOf(err) != record.Usage {
			t.Errorf("%s: %v", c.trick, err)
		}
	}
}

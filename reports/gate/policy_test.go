package gate

import (
	"strings"
	"testing"

	"hilrig/record"
	"hilrig/record/yamltree"
)

// A policy that is not understood whole is none.
func TestABrokenPolicyIsAUsageFailure(t *testing.T) {
	const sound = "policy: p\nboards: [{type: ads300}]\nrequired: ['*']\n"
	for text, want := range map[string]string{
		"":                                      "one YAML document",
		"{":                                     "",
		"policy: p\n":                           "line 1: lacks boards, required",
		sound + "evidnce: {}\n":                 "line 4: unknown key evidnce, did you mean evidence?",
		sound + "evidence: {emulatd: true}\n":   "line 4: evidence: unknown key emulatd, did you mean emulated?",
		sound + "flaky: 99999999999999999999\n": "flaky",
		sound + "flaky: 1\nflaky: 0\n":          "",
		sound + "evidence: {emulated: 'yes'}\n": "evidence.emulated",
		sound + "---\npolicy: q\n":              "one YAML document",
		sound + "boards: []\n":                  "boards",
		"policy: p\nboards: []\nrequired: [x]":  "line 2: boards",
		sound + "unlisted: never\n":             "line 4: unlisted",
		sound + "evidence: {max_age: soon}\n":   "max_age",
		sound + "accept: [{spec: tls/*}]\n":     "lacks because",
		sound + "areas: {tsl: {warn: 1}}\n":     "line 4: no spec of the catalogue is tsl/*",
		sound + "never_waived: [gold]\n":        "line 4: no spec of the catalogue is label:gold",
		sound + "accept: [{spec: tls/*, hub: x, because: y}]\n":                      "line 4: accept: hub x is not among hubs",
		"policy: p\nboards: [{type: a}]\nrequired: [tls/nope]":                       "line 3: no spec of the catalogue is tls/nope",
		sound + "hubs: &a [x]\n":                                                     "line 4: anchors",
		sound + "baseline: {significance: 0}\n":                                      "got 0, want more than 0",
		sound + "measurements: [{spec: tls/version, name: x, unit: s, max: .nan}]\n": "line 4: measurements.0.max: is no number",
		"\xff\xfe" + sound:                               "save it as UTF-8",
		sound + "# \xff\n":                               "it is not UTF-8",
		strings.Repeat("#", yamltree.Largest+1):          "at most",
		sound + "areas: " + strings.Repeat("[", 100_000): "line 4: more than 64 levels deep",
	} {
		_, err := ReadPolicy("gate.yaml", []byte(text), catalogue)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "gate.yaml") {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
	for name, text := range map[string]string{"as it is": sound, "by an editor of Windows": "\ufeff" + strings.ReplaceAll(sound, "\n", "\r\n")} {
		if _, err := ReadPolicy("gate.yaml", []byte(text), catalogue); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokenWaiverIsAUsageFailure(t *testing.T) {
	p := policyOf(t, strictPolicy)
	for _, c := range []struct{ from, to, want string }{
		{"expires: 2026-12-24", "expires: 2026-11-26", "line 1: waiver of tls/expired for type ads300: it expired on 2026-11-26; kim answered for it"},
		{"expires: 2026-12-24", "expires: 2027-02-26", "more than 90 days from now"},
		{"expires: 2026-12-24", "expires: 2026-02-31", "2026-02-31 is no day"},
		{"spec: tls/expired", "spec: tls/version", "no spec labelled smoke be waived"},
		{"spec: tls/expired", "spec: tls/nope", "no such spec"},
		{"spec: tls/expired", "spec: 'tls/*'", "spec"},
		{"owner: kim, ", "", "lacks owner"},
		{"type: ads300", "board: A1, type: ads300", "a board or a type, one of the two"},
		{"type: ads300, ", "", "a board or a type, one of the two"},
		{"reason", "raeson", "unknown key raeson, did you mean reason?"},
	} {
		_, err := ReadWaivers("waivers.yaml", []byte(strings.Replace(waiver, c.from, c.to, 1)), p, catalogue, now)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
	last := strings.Replace(waiver, "2026-12-24", "2026-11-27", 1)
	if _, err := ReadWaivers("waivers.yaml", []byte(last), p, catalogue, now); err != nil {
		t.Errorf("on its last day: %v", err)
	}
}

// A waiver that is for nothing is told, and does no harm.
func TestAWaiverForNothingIsAWarning(t *testing.T) {
	q := sound(t)
	withWaivers("waivers:\n- {spec: tls/expired, board: A1, owner: o, reason: r, issue: i, expires: 2026-12-01}\n- {spec: soak/day, board: A9, owner: o, reason: r, issue: i, expires: 2026-12-01}\n")(t, q)
	v := Judge(*q)
	said := strings.Join(v.Warnings, "\n")
	if v.Verdict != Pass || !strings.Contains(said, "tls/expired for board A1 is no longer needed") || !strings.Contains(said, "soak/day for board A9 matches no failure") {
		t.Errorf("%s: %s", v.Verdict, said)
	}
}

// What a policy allows is allowed, and no more.
func TestWhatAPolicyAllows(t *testing.T) {
	warns := func(s *record.SpecResult) { s.Verdict = record.Warn }
	for _, c := range []struct {
		name, more string
		change     func(*testing.T, *Question)
		want       Word
	}{
		{"a warning", "", spec("tls/version", warns), Pass},
		{"a warning more than may be", "areas: {tls: {warn: 0}}", spec("tls/version", warns), Fail},
		{"a warning in another area", "areas: {session: {warn: 0}}", spec("tls/version", warns), Pass},
		{"a warning in every other area", "areas: {'*': {warn: 0}}", spec("tls/version", warns), Fail},
		{"a spec accepted without a result", "accept: [{spec: tls/expired, because: no clock}]", spec("tls/expired", func(s *record.SpecResult) { s.Verdict = record.NotApplicable }), Pass},
		{"one accepted at another hub", "accept: [{spec: tls/expired, hub: lab, because: no clock}]", spec("tls/expired", func(s *record.SpecResult) { s.Verdict = record.NotApplicable }), Inconclusive},
		{"one accepted that fails", "accept: [{spec: tls/expired, because: no clock}]", spec("tls/expired", fails), Fail},
		{"a flaky result within the budget", "flaky: 1", spec("tls/expired", func(s *record.SpecResult) {
			s.Attempts = []record.Attempt{{Verdict: record.Fail}, {Verdict: record.Pass}}
		}), Pass},
		{"runs not given that nobody counts", "unlisted: warn", func(_ *testing.T, q *Question) { q.NoHistory = "there is none" }, Pass},
		{"two runs asked for", "", func(t *testing.T, q *Question) { q.Policy.Evidence.Runs = 2 }, Inconclusive},
	} {
		q := sound(t)
		q.Policy = policyOf(t, strictPolicy+c.more+"\n")
		c.change(t, q)
		if v := Judge(*q); v.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, v.Verdict, c.want, v.Rules)
		}
	}
}

package gate

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"hilrig/record"
)

// Tables whose chances are in books and in the manuals of others.
func TestFishersExactTest(t *testing.T) {
	for _, c := range []struct {
		from                         string
		failed, of, oldFailed, oldOf int
		want                         float64
	}{
		{"Fisher 1935, the lady who tastes tea", 3, 4, 1, 4, 17.0 / 70},
		{"the same, all right", 4, 4, 0, 4, 1.0 / 70},
		{"Fisher 1962, convictions of twins (R: fisher.test, p-value = 0.0004652)", 10, 13, 2, 17, 0.0004651809},
		{"SciPy's manual, whales and sharks (196/8008)", 8, 10, 1, 6, 196.0 / 8008},
		{"three boards against three", 3, 3, 0, 3, 1.0 / 20},
		{"one board of one", 1, 1, 0, 1, 0.5},
		{"no failure anywhere", 0, 20, 0, 40, 1},
		{"all fail", 5, 5, 7, 7, 1},
		{"better than before", 0, 10, 5, 10, 1},
		{"many results", 60, 20000, 60, 60000, 3.323380826e-9},
	} {
		got := fisher(c.failed, c.of, c.oldFailed, c.oldOf)
		if math.Abs(got-c.want) > 1e-3*c.want {
			t.Errorf("%s: %.10g, want %.10g", c.from, got, c.want)
		}
	}
}

// The chances of all tables with the same sums are one.
func TestFishersChancesSumUp(t *testing.T) {
	for of := range 8 {
		for oldOf := range 9 {
			for red := 0; red <= of+oldOf; red++ {
				sum := 0.0
				for k := max(0, red-oldOf); k <= min(of, red); k++ {
					p := fisher(k, of, red-k, oldOf)
					if k < min(of, red) {
						p -= fisher(k+1, of, red-k-1, oldOf)
					}
					if p < 0 {
						t.Errorf("%d of %d, %d of %d: %g", k, of, red-k, oldOf, p)
					}
					sum += p
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Errorf("%d, %d, %d: %g", of, oldOf, red, sum)
				}
			}
		}
	}
}

// Of many specs that fail at times, as they did before, none is named; one that
// is worse is.
func TestManySpecsAreAskedAtOnce(t *testing.T) {
	var all []compare
	for i := range 90 {
		all = append(all, compare{name: fmt.Sprint(i), now: Share{2, 40}, old: Share{0, 40}, chance: fisher(2, 40, 0, 40)})
	}
	if got := significant(all, 0.3); len(got) != 0 {
		t.Errorf("%d of ninety are named", len(got))
	}
	all[7] = compare{name: "7", now: Share{20, 40}, old: Share{0, 40}, chance: fisher(20, 40, 0, 40)}
	if got := significant(all, 0.05); len(got) != 1 || got[0].name != "7" {
		t.Errorf("%v", got)
	}
}

func TestTheFirmwareThatWasReleasedIsTheBaseline(t *testing.T) {
	released := Released{Wanted: Wanted{Version: "2.3.0"}, Shares: map[string]Share{"tls/expired": {0, 60}, "tls/version": {1, 60}, "session/connect": {0, 60}}}
	flakyExpired := func(_ *testing.T, q *Question) { // in each of six nights
		for n := range 6 {
			r := runOf(fmt.Sprintf("2026112%dT080000Z-0000", n), now.AddDate(0, 0, n-7))
			for i := range r.Record.Devices {
				r.Record.Devices[i].Specs[1].Flaky = true
			}
			q.Runs = append(q.Runs, r)
		}
	}
	with := func(change func(*Released)) func(*testing.T, *Question) {
		return func(_ *testing.T, q *Question) { change(&q.Released) }
	}
	for _, c := range []struct {
		what   string
		policy string
		change func(*testing.T, *Question)
		want   Word
		text   string
	}{
		{"as good as before", "", nothing, Pass, "3 compared with firmware 2.3.0, none fails more often"},
		{"worse", "", flakyExpired, Fail, "tls/expired fails in 24 of 28 results, with firmware 2.3.0 in 0 of 60 (p = "},
		{"worse, and that warns", "worse: warn", flakyExpired, Pass, "3 compared with firmware 2.3.0, 1 fail more often"},
		{"worse as an area", "per: area", flakyExpired, Fail, "area tls fails in 24 of 56 results, with firmware 2.3.0 in 1 of 120"},
		{"a failure that somebody answers for", "", both(flakyExpired, withWaivers(waiver)), Pass, "none fails more often"},
		{"once, where it never did", "", spec("tls/expired", func(s *record.SpecResult) { s.Flaky = true }), Pass, "none fails more often"},
		{"a spec that is new", "", with(func(r *Released) { delete(r.Shares, "tls/expired") }), Pass, "2 compared with firmware 2.3.0, none fails more often; 1 have no baseline"},
		{"nobody says which it is", "", with(func(r *Released) { r.Wanted = Wanted{} }), Inconclusive, "nobody says which firmware was released last"},
		{"no result of it", "", with(func(r *Released) { r.Shares = nil }), Inconclusive, "no result of firmware 2.3.0 is known"},
		{"no result of it, which warns", "missing: warn", with(func(r *Released) { r.Shares = nil }), Pass, "there is no baseline"},
		{"no history", "", with(func(r *Released) { r.Lack = "there is no history on this host" }), Inconclusive, "there is no history"},
		{"itself", "", with(func(r *Released) { r.Version = "2.4.1" }), Inconclusive, "firmware 2.4.1 is the one that is judged"},
	} {
		t.Run(c.what, func(t *testing.T) {
			q := sound(t)
			q.Policy = policyOf(t, strictPolicy+"baseline: {"+c.policy+"}\n")
			q.Released = released
			q.Released.Shares = map[string]Share{}
			for spec, s := range released.Shares {
				q.Released.Shares[spec] = s
			}
			c.change(t, q)
			for _, r := range Judge(*q).Rules {
				if r.Name == "baseline" {
					if r.Verdict != c.want || !strings.Contains(r.Text, c.text) {
						t.Errorf("%s %q, want %s %q", r.Verdict, r.Text, c.want, c.text)
					}
					return
				}
			}
			t.Error("no rule for it")
		})
	}
}

func TestABaselineWithoutSenseIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{significance: 0}":   "baseline.significance",
		"{significance: 0.9}": "baseline.significance",
		"{per: board}":        "baseline.per",
		"{worse: pass}":       "baseline.worse",
		"{sha256: ABC}":       "baseline.sha256",
		"{versions: 2.3.0}":   "unknown key versions, did you mean version?",
	} {
		_, err := ReadPolicy("gate.yaml", []byte(strictPolicy+"baseline: "+text+"\n"), catalogue)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

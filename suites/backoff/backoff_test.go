package backoff_test

import (
	"strings"
	"testing"
	"time"

	"hilrig/suites/backoff"
)

func row(seconds ...float64) []time.Duration {
	var r []time.Duration
	for _, s := range seconds {
		r = append(r, time.Duration(s*float64(time.Second)))
	}
	return r
}

func TestJudge(t *testing.T) {
	rule := backoff.Defaults.Rule()
	for name, tc := range map[string]struct {
		row  []time.Duration
		want backoff.Grade
	}{
		"doubling with jitter":       {row(1.12, 2.31, 4.05, 9.2), backoff.Growing},
		"by a half with jitter":      {row(1.10, 1.60, 2.65, 3.8, 5.4), backoff.Growing},
		"a first try at once":        {row(0.01, 1.2, 2.1, 4.9, 9), backoff.Growing},
		"up to a ceiling, jitter":    {row(10.4, 21, 31, 35, 33, 37), backoff.Growing},
		"Microsoft's":                {row(0.1, 0.17, 0.35, 0.8, 1.4), backoff.Growing},
		"a handshake in the first":   {row(4.2, 2.1, 4.05, 9.2, 16.8, 33), backoff.Growing},
		"two gaps":                   {row(1.1, 2.3), backoff.Undecided},
		"three that look alike":      {row(1.18, 1.80, 2.46), backoff.Undecided},
		"constant":                   {row(2, 2.01, 2.02, 2, 2.01, 2), backoff.Constant},
		"constant with jitter":       {row(2, 2.4, 2.2, 2.5, 2.1, 2.3, 2.2, 2.4, 2.0), backoff.Constant},
		"constant, one stray":        {row(2, 2.01, 5.3, 2, 2.01, 2, 2.02, 2), backoff.Constant},
		"constant and slow":          {row(10, 10.1, 9.2, 10.9, 9.7, 10.2), backoff.ConstantSlow},
		"a minute":                   {row(60, 60, 61, 60), backoff.ConstantSlow},
		"none":                       {row(0.02, 0.02, 0.021, 0.02, 0.02), backoff.Hammering},
		"none, after a first of one": {row(1, 0.02, 0.021, 0.02, 0.02, 0.02), backoff.Hammering},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(rule, tc.row)
			if v.Grade != tc.want {
				t.Errorf("%q (%s), want %q", v.Grade, v.Why, tc.want)
			}
			pass, fail := tc.want == backoff.Growing, tc.want == backoff.Constant || tc.want == backoff.Hammering
			if v.Passes() != pass || v.Warns() == (pass || fail) {
				t.Errorf("passes %v, warns %v", v.Passes(), v.Warns())
			}
			if strings.Contains(v.Why, "times") {
				t.Errorf("%q compares figures that may read as the same", v.Why)
			}
		})
	}
}

// Rows before make three gaps enough that alone are not, and only for gaps
// that grow as those did.
func TestRowsBeforeShortenTheNext(t *testing.T) {
	alone := backoff.Defaults.Rule()
	for name, tc := range map[string]struct {
		before [][]time.Duration
		row    []time.Duration
		want   backoff.Grade
	}{
		"nothing before":          {nil, row(1.18, 1.64, 2.72), backoff.Undecided},
		"as before":               {[][]time.Duration{row(1.10, 1.60, 2.65, 3.8, 5.4)}, row(1.18, 1.64, 2.72), backoff.Growing},
		"unlike before":           {[][]time.Duration{row(4, 8.6, 15, 33)}, row(1.18, 1.64, 2.72), backoff.Undecided},
		"of one size, unlike":     {[][]time.Duration{row(1.10, 1.60, 2.65, 3.8, 5.4)}, row(2, 2.01, 2.02, 2, 2.01), backoff.Constant},
		"at once, unlike":         {[][]time.Duration{row(1.10, 1.60, 2.65, 3.8, 5.4)}, row(0.02, 0.02, 0.021, 0.02, 0.02), backoff.Hammering},
		"slow, unlike":            {[][]time.Duration{row(1.10, 1.60, 2.65, 3.8, 5.4)}, row(60, 60, 61, 60), backoff.ConstantSlow},
		"one size before, growth": {[][]time.Duration{row(2, 2.01, 2.02, 2, 2.01)}, row(1.12, 2.31, 4.05, 9.2), backoff.Growing},
	} {
		if v := judge(alone.After(tc.before...), tc.row); v.Grade != tc.want {
			t.Errorf("%s: %q (%s), want %q", name, v.Grade, v.Why, tc.want)
		}
	}
}

func TestGapsWithoutChanceAreRegular(t *testing.T) {
	for name, tc := range map[string]struct {
		rows [][]time.Duration
		want bool
	}{
		"doubling exactly":         {[][]time.Duration{row(1, 2.01, 4.0, 8.02)}, true},
		"by a step exactly":        {[][]time.Duration{row(2, 4.01, 6.02, 8.0)}, true},
		"doubling up to a ceiling": {[][]time.Duration{row(1, 2, 4, 4.01)}, true},
		"a table, twice the same":  {[][]time.Duration{row(1, 2, 5, 10), row(1.02, 2.01, 5.03, 10)}, true},
		"alike, but not again":     {[][]time.Duration{row(1, 2.01, 4.0, 8.02), row(1.2, 2.3, 4.9, 8.1)}, false},
		"with jitter":              {[][]time.Duration{row(1.12, 2.31, 4.05, 9.2)}, false},
		"each a little late":       {[][]time.Duration{row(1.09, 1.585, 2.37, 3.56)}, true},
		"one held up by a stall":   {[][]time.Duration{row(1.05, 1.9, 2.36, 3.54, 5.32)}, true},
		"two held up by stalls":    {[][]time.Duration{row(1.05, 1.9, 2.36, 3.9, 5.32)}, false},
		"four, one held up":        {[][]time.Duration{row(1.05, 1.9, 2.36, 3.54)}, false},
		"a stall in each of two":   {[][]time.Duration{row(1.05, 1.58, 2.36, 3.54, 5.6), row(1.05, 1.58, 2.37, 3.55, 5.32)}, true},
		"little jitter":            {[][]time.Duration{row(1.12, 1.72, 2.38, 3.81)}, false},
		"jitter, and a stall":      {[][]time.Duration{row(1.25, 2.4, 2.41, 4.3, 5.5)}, false},
		"two gaps":                 {[][]time.Duration{row(1, 2)}, false},
	} {
		if got := backoff.Defaults.Regular(tc.rows...); got != tc.want {
			t.Errorf("%s: regular %v, want %v", name, got, tc.want)
		}
	}
}

// Three rows that are the same hold no chance, wherever each began, and though a
// stall is in a fourth; a row that is another one does.
func TestRowsSayWhetherThereIsChance(t *testing.T) {
	exact, later := row(1.06, 1.58, 2.37, 3.55), row(1.58, 2.37, 3.55, 5.33)
	stalled, other := row(1.06, 1.78, 2.37, 3.55), row(1.22, 1.66, 2.91, 3.7)
	for name, tc := range map[string]struct {
		rows          [][]time.Duration
		none, decided bool
	}{
		"one":                          {[][]time.Duration{exact}, false, false},
		"two the same":                 {[][]time.Duration{exact, exact}, false, false},
		"three the same":               {[][]time.Duration{exact, exact, exact}, true, true},
		"one begun later":              {[][]time.Duration{exact, later, exact}, true, true},
		"another":                      {[][]time.Duration{exact, other}, false, true},
		"another, behind two the same": {[][]time.Duration{exact, exact, other}, false, true},
		"a stall":                      {[][]time.Duration{exact, stalled}, false, false},
		"a stall in one of three":      {[][]time.Duration{exact, stalled, exact}, false, false},
		"a stall in one of four":       {[][]time.Duration{exact, stalled, exact, later}, true, true},
		"a stall in two":               {[][]time.Duration{exact, stalled, row(1.06, 1.58, 2.37, 3.85)}, false, true},
		"rows of two gaps":             {[][]time.Duration{exact, exact, row(1.06, 1.58), row(1.06, 1.58)}, false, true},
	} {
		if none, decided := backoff.Defaults.NoChance(tc.rows...); none != tc.none || decided != tc.decided {
			t.Errorf("%s: none %v, decided %v, want %v, %v", name, none, decided, tc.none, tc.decided)
		}
	}
}

// A row that a rule makes by chance is known by a row before it; one that a rule
// does make is not taken for chance, wherever its backoff began and though a
// stall is in it.
func TestARowBeforeShowsChance(t *testing.T) {
	exact := row(1, 2.01, 4.0, 8.02)
	for name, tc := range map[string]struct {
		before [][]time.Duration
		want   bool
	}{
		"nothing before":                       {nil, false},
		"the same again":                       {[][]time.Duration{row(1.02, 2, 4.03, 8)}, false},
		"first gaps alone":                     {[][]time.Duration{row(1.4), row(0.6), row(2.2)}, false},
		"too short":                            {[][]time.Duration{row(1.4, 2.6)}, false},
		"others":                               {[][]time.Duration{row(1.3, 2.4, 4.9)}, true},
		"others after the same":                {[][]time.Duration{row(1, 2, 4, 8), row(1.3, 2.4, 4.9, 7.1)}, true},
		"the same with a stall":                {[][]time.Duration{row(1, 2.4, 4, 8)}, false},
		"not started over, a step up":          {[][]time.Duration{row(2, 4, 8, 16)}, false},
		"not started over, two steps up":       {[][]time.Duration{row(4, 8, 16, 16)}, false},
		"begun earlier":                        {[][]time.Duration{row(0.5, 1, 2, 4)}, false},
		"chance of little width, 3 % and more": {[][]time.Duration{row(1.1, 2.2, 4.3, 8.5)}, true},
	} {
		if got := backoff.Defaults.Unlike(exact, tc.before...); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// A row is asked for no more than it takes: what is decided is not looked at
// again, and nothing is looked at for ever.
func TestARowEnds(t *testing.T) {
	j := backoff.Defaults.Rule().Begin()
	for n := range 40 {
		j.See(time.Duration(4.9*float64(time.Second)) + time.Duration(n%3)*400*time.Millisecond)
		if _, decided := j.Verdict(); decided {
			if n >= backoff.Defaults.Most {
				t.Errorf("decided after %d gaps", n+1)
			}
			return
		}
	}
	t.Error("never decided")
}

// judge judges a row that is all there is of it: its first gaps that decide.
func judge(r *backoff.Rule, gaps []time.Duration) backoff.Verdict {
	j := r.Begin()
	for _, g := range gaps {
		j.See(g)
		if v, decided := j.Verdict(); decided {
			return v
		}
	}
	v, _ := j.Verdict()
	return v
}

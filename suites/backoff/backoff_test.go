package backoff_test

import (
	"math"
	"math/rand/v2"
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
	for name, tc := range map[string]struct {
		rows [][]time.Duration
		want backoff.Grade
	}{
		"doubling with jitter":         {[][]time.Duration{row(1.12, 2.31, 4.05, 9.2)}, backoff.Growing},
		"by a half with jitter":        {[][]time.Duration{row(1.30, 1.60, 2.95, 3.6)}, backoff.Growing},
		"a first try at once":          {[][]time.Duration{row(0.01, 1.2, 2.1, 4.9)}, backoff.Growing},
		"up to a ceiling, jitter":      {[][]time.Duration{row(10.4, 21, 31, 35)}, backoff.Growing},
		"two gaps":                     {[][]time.Duration{row(1.1, 2.3)}, backoff.Growing},
		"full jitter, one row unlucky": {[][]time.Duration{row(0.9, 1.3, 0.5, 1.2), row(0.3, 1.9, 3.1, 6.2)}, backoff.Growing},
		"three that look alike":        {[][]time.Duration{row(1.18, 1.80, 2.46)}, backoff.Growing},
		"doubling exactly":             {[][]time.Duration{row(1, 2.01, 4.0, 8.02)}, backoff.WithoutJitter},
		"by a step exactly":            {[][]time.Duration{row(2, 4.01, 6.02, 8.0)}, backoff.WithoutJitter},
		"doubling up to a ceiling":     {[][]time.Duration{row(1, 2, 4, 4.01)}, backoff.WithoutJitter},
		"a table, twice the same":      {[][]time.Duration{row(1, 2, 5, 10), row(1.02, 2.01, 5.03, 10)}, backoff.WithoutJitter},
		"alike, but not again":         {[][]time.Duration{row(1, 2.01, 4.0, 8.02), row(1.2, 2.3, 4.9, 8.1)}, backoff.Growing},
		"constant":                     {[][]time.Duration{row(2, 2.01, 2.02, 2)}, backoff.Constant},
		"constant with jitter":         {[][]time.Duration{row(2, 2.4, 2.2, 2.5)}, backoff.Constant},
		"shrinking":                    {[][]time.Duration{row(8, 4, 2, 1)}, backoff.Constant},
		"constant and slow":            {[][]time.Duration{row(5, 5.1, 5.2, 5)}, backoff.ConstantSlow},
		"just below slow":              {[][]time.Duration{row(4.9, 4.9, 4.9, 4.9)}, backoff.Constant},
		"a minute":                     {[][]time.Duration{row(60, 60, 61, 60)}, backoff.ConstantSlow},
		"none":                         {[][]time.Duration{row(0.02, 0.02, 0.021, 0.02)}, backoff.Hammering},
		"growing from nothing":         {[][]time.Duration{row(0.02, 0.04, 0.08, 0.16)}, backoff.Hammering},
	} {
		t.Run(name, func(t *testing.T) {
			v := backoff.Defaults.Judge(tc.rows...)
			if v.Grade != tc.want {
				t.Errorf("%q (%s), want %q", v.Grade, v.Why, tc.want)
			}
			if pass, warn := tc.want == backoff.Growing, tc.want == backoff.WithoutJitter || tc.want == backoff.ConstantSlow; v.Passes() != pass || v.Warns() != warn {
				t.Errorf("passes %v, warns %v", v.Passes(), v.Warns())
			}
		})
	}
}

// Backoffs in use, drawn ten thousand times: whoever looks twice before it
// speaks wrongs hardly one of them. The least jitter here is a tenth, which is
// little more than what the eye takes for the same.
func TestSoundBackoffsPass(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(first, growth, jitter, most float64) []time.Duration {
		var gaps []float64
		for i := range 4 {
			gaps = append(gaps, math.Min(first*math.Pow(growth, float64(i)), most)*(1+jitter*r.Float64()))
		}
		return row(gaps...)
	}
	for name, make := range map[string]func() []time.Duration{
		"a half more each time, a quarter of jitter": func() []time.Duration { return draw(1.05, 1.5, 0.25, 60) },
		"doubling, a tenth of jitter":                func() []time.Duration { return draw(2, 2, 0.1, 60) },
		"doubling from a second to five":             func() []time.Duration { return draw(1, 2, 0.25, 5) },
	} {
		once, twice := 0, 0
		for range 10_000 {
			a := make()
			if backoff.Defaults.Judge(a).Passes() {
				continue
			}
			once++
			if !backoff.Defaults.Judge(a, make()).Passes() {
				twice++
			}
		}
		t.Logf("%s: looked at twice %d times, wronged %d times in 10000", name, once, twice)
		if once > 2500 || twice > 200 {
			t.Errorf("%s: looked at twice %d times, wronged %d times in 10000", name, once, twice)
		}
	}
}

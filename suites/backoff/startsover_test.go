package backoff_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"hilrig/suites/backoff"
)

func TestGapsOfOneSizeMayHaveGrown(t *testing.T) {
	ceiling := row(5.2, 5.9, 5.4)
	for name, tc := range map[string]struct {
		before [][]time.Duration
		row    []time.Duration
		want   bool
	}{
		"nothing before":                   {nil, ceiling, false},
		"one gap before":                   {[][]time.Duration{row(1.1)}, ceiling, false},
		"a row that grew":                  {[][]time.Duration{row(1.1, 1.7, 2.6, 4)}, ceiling, true},
		"first gaps that grew":             {[][]time.Duration{row(1.1), row(1.7), row(2.6), row(4)}, ceiling, true},
		"of this size from the first":      {[][]time.Duration{row(5.5, 5.1), row(5.3)}, ceiling, false},
		"one stray at first":               {[][]time.Duration{row(1.1), row(5.3), row(5.8)}, ceiling, false},
		"anywhere up to twice its mean":    {[][]time.Duration{row(1.1), row(1.7)}, row(0.9, 5, 8, 9, 6), false},
		"half as long, with chance":        {[][]time.Duration{row(2.6), row(2.9)}, ceiling, false},
		"as before, that is shorter since": {[][]time.Duration{row(5.5), row(5.2)}, row(1.1, 1.2, 1.15), false},
	} {
		if first, got := backoff.Grown(tc.before, tc.row); got != tc.want || got && first[0] != tc.before[0][0] {
			t.Errorf("%s: %v after %v, want %v", name, got, first, tc.want)
		}
	}
}

// Of those that start over, and of those of one size that do the hub no harm,
// none in a thousand is taken for a device that does not; of those that do not,
// none in a hundred is let off.
func TestWhoseGapsDoNotStartOver(t *testing.T) {
	t.Parallel()
	rule, n := backoff.Defaults.Rule(), devices()/16 // each is asked for up to eleven rows
	for k, p := range population() {
		r, red := rand.New(rand.NewPCG(uint64(k), 2028)), 0
		for range n {
			if p.is != impolite && startsOver(rule, p.device(r), r) == notOver {
				red++
			}
		}
		if red > n/1000 {
			t.Errorf("%s: %d of %d devices", p.name, red, n)
		}
	}
	for name, factor := range map[string]float64{"doubling": 2, "half as much again": 1.5} {
		r, said := rand.New(rand.NewPCG(9, 2028)), map[string]int{}
		for range n {
			b, c, jitter, tries := within(r, 0.5, 2), within(r, 5, 60), within(r, 0.1, 0.3), 0
			said[startsOver(rule, func(int, float64) float64 {
				tries++
				return math.Min(c, b*math.Pow(factor, float64(tries-1))) * within(r, 1-jitter, 1+jitter)
			}, r)]++
		}
		t.Logf("%s: %v of %d", name, said, n)
		if said[let] > n/100 {
			t.Errorf("%s: %d of %d devices are let off", name, said[let], n)
		}
	}
}

// What a run says of a device.
const (
	notOver = "does not start over"
	other   = "another warning or failure"
	let     = "nothing"
)

// startsOver asks a device for the pauses of a run: a first gap for each of five
// refusals, and three rows, each once more where it is of one size.
func startsOver(rule *backoff.Rule, d drawn, r *rand.Rand) string {
	var before [][]time.Duration
	for range 5 {
		before = append(before, []time.Duration{measured(d(0, 0), r)})
	}
	said := let
	for range 3 {
		v, row := ask(rule.After(before...), d, r)
		if v.Passes() {
			before = append(before, row)
			continue
		}
		_, grown := backoff.Grown(before, row)
		if ofOneSize(v) {
			v, row = ask(rule.After(before...), d, r)
		}
		if _, still := backoff.Grown(before, row); grown && still && ofOneSize(v) {
			return notOver
		}
		if !v.Passes() {
			said = other
		}
	}
	return said
}

func ofOneSize(v backoff.Verdict) bool {
	return v.Grade == backoff.Constant || v.Grade == backoff.ConstantSlow
}

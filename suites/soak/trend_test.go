package soak

import (
	"math/rand/v2"
	"testing"
	"time"
)

// row makes n times of a start, a growth with each, and jitter on top.
func row(n int, start, each time.Duration, jitter float64, r *rand.Rand) []time.Duration {
	var out []time.Duration
	for i := range n {
		d := start + time.Duration(i)*each
		out = append(out, d+time.Duration(jitter*r.Float64()*float64(d)))
	}
	return out
}

func TestTrend(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	outlier := row(30, time.Second, 0, 0.25, r)
	outlier[28], outlier[29] = time.Minute, time.Minute
	for name, tc := range map[string]struct {
		row   []time.Duration
		judge bool
		slow  bool
	}{
		"steady":                {row(100, time.Second, 0, 0.25, r), true, false},
		"two lost packets late": {outlier, true, false},
		"leaks 200 ms a dozen":  {row(12, 1050*time.Millisecond, 200*time.Millisecond, 0.25, r), true, true},
		"leaks 50 ms a hundred": {row(100, 5*time.Second, 50*time.Millisecond, 0.25, r), true, true},
		"milliseconds":          {row(100, 10*time.Millisecond, time.Millisecond, 0, r), true, false},
		"gets quicker":          {row(20, 10*time.Second, -300*time.Millisecond, 0, r), true, false},
		"too few":               {row(8, time.Second, time.Second, 0, r), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, judged := slowing.Of(tc.row)
			if judged != tc.judge || slowing.Slower(got) != tc.slow {
				t.Errorf("judged %v, slower %v: %+v", judged, slowing.Slower(got), got)
			}
		})
	}
}

func TestSteadyDevicesAreNotWronged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 5000 {
		one := row(12, time.Second, 0, 0.5, r)
		if got, _ := slowing.Of(one); slowing.Slower(got) {
			t.Fatalf("row %d: %+v of %v", i, got, one)
		}
	}
}

package soak

import (
	"slices"
	"time"
)

// Slowing is when a row of times counts as one that grows.
type Slowing struct {
	Least int           // times that a trend needs
	Times float64       // the last third's median is so many times the first third's...
	By    time.Duration // ...and longer by so much
}

// slowing is the soak specs'. Half as long again over a row of a dozen and more
// is beyond what jitter does to the median of a third.
var slowing = Slowing{Least: 9, Times: 1.5, By: 500 * time.Millisecond}

// Trend is how a row of times began and ended: the medians of its first and
// last third.
type Trend struct{ Early, Late time.Duration }

// Of takes the trend of a row; false where it is too short for one.
func (s Slowing) Of(row []time.Duration) (Trend, bool) {
	if len(row) < s.Least {
		return Trend{}, false
	}
	third := len(row) / 3
	return Trend{median(row[:third]), median(row[len(row)-third:])}, true
}

// Slower says that a trend is one.
func (s Slowing) Slower(t Trend) bool {
	return t.Late.Seconds() >= s.Times*t.Early.Seconds() && t.Late-t.Early >= s.By
}

func median(row []time.Duration) time.Duration {
	r := slices.Sorted(slices.Values(row))
	return (r[(len(r)-1)/2] + r[len(r)/2]) / 2
}

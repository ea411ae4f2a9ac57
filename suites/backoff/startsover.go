package backoff

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"hilrig/fixtures"
	"hilrig/record"
)

// What tells a backoff that has grown and stays so from gaps of one size: the
// first gaps of the run are under this share of the mean, and none of the row is
// far below it: gaps with more chance in them than that are left alone.
const (
	ungrown = 0.4
	reaches = 0.55
)

// Grown reports whether gaps of one size are those of a backoff that had not
// grown yet when the run's first two gaps were seen, which are returned.
func Grown(before [][]time.Duration, row []time.Duration) (first []time.Duration, grown bool) {
	first = slices.Concat(before...)
	if len(first) < 2 || len(row) == 0 {
		return nil, false
	}
	first = first[:2]
	m := float64(mean(row))
	return first, float64(slices.Max(first)) < ungrown*m && float64(slices.Min(row)) >= reaches*m
}

// neverOver is the fact that a device's pauses do not start over.
const neverOver = "pauses never start over"

// startsOver judges a device whose gaps were of one size, and had grown to it
// before, by a second row: behind a session that stood for so long. Where that
// was no minute, its firmware may wait for more.
func startsOver(first []time.Duration, second Row, stood time.Duration) Verdict {
	shown := fmt.Sprintf("%s behind a session that had delivered and stood for %.0f s, and %s at first in this run", text(second.Gaps), stood.Seconds(), text(first))
	if stood < fixtures.LongestStand {
		return Verdict{Undecided, "gaps of " + shown + ": a session of a minute would show whether they start over"}
	}
	return Verdict{NotOver, "gaps of " + shown}
}

// overBy is the error of a device whose pauses are known not to start over: its
// rows say no more. One cause is one red.
func overBy(b *fixtures.Trial) error {
	if !b.Noted(neverOver) {
		return nil
	}
	return record.NewFailure(record.ClassDevice, "judge", "the gaps between its tries",
		errors.New("its pauses do not start over, as a spec before has shown"))
}

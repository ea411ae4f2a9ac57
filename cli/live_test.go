package cli

import (
	"testing"
	"time"
)

func TestTheLineOfAllBoardsSaysHowFarTheRunIs(t *testing.T) {
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for want, c := range map[string]struct {
		sum   sum
		after time.Duration
		ink   palette
	}{
		" 0/40  3s":                           {sum{total: 40}, 3 * time.Second, false},
		" 10/40  20s  about 1m0s left":        {sum{done: 10, total: 40}, 20 * time.Second, false},
		" 10/40  2 red  20s  about 1m0s left": {sum{done: 10, red: 2, total: 40}, 20 * time.Second, false},
		" 40/40  \x1b[31m1 red\x1b[0m  1m20s": {sum{done: 40, red: 1, total: 40}, 80 * time.Second, true},
	} {
		c.sum.began = began
		if got := c.sum.text(c.ink, began.Add(c.after)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheLineOfABoardSaysWhatIsRed(t *testing.T) {
	for want, m := range map[string]moving{
		" 3/9":        {done: 3, total: 9},
		" 3/9  2 red": {done: 3, total: 9, red: 2},
	} {
		if got := m.text(false); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

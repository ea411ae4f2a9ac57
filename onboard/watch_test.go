package onboard

import (
	"testing"
	"time"

	"hilrig/azure/hub"
)

// A board that publishes once in half a minute is waited for in several turns,
// each of which sees its messages again.
func TestAMessageSeenAgainIsOneMessage(t *testing.T) {
	began := time.Now()
	message := func(seq int, after time.Duration) hub.Event {
		return hub.Event{Seq: seq, Kind: hub.KindMessage, At: began.Add(after), Message: &hub.Message{}}
	}
	old, first, second, third := message(3, -time.Second), message(5, time.Second), message(9, 31*time.Second), message(12, 61*time.Second)
	a := &arrivals{since: began}
	for i, turn := range [][]hub.Event{{old, first}, {old, first}, {old, first}, {old, first, second}, {old, first, second}} {
		for _, e := range turn {
			if a.enough(e) {
				t.Fatalf("enough in turn %d: %v", i, a.at)
			}
		}
	}
	if !a.enough(third) || len(a.at) != 3 || a.at[1].Sub(a.at[0]) != 30*time.Second {
		t.Errorf("got %v", a.at)
	}
}

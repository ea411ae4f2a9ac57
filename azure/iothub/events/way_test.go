package events

import (
	"testing"
	"time"

	"hilrig/azure/hub"
)

// What waits for a process that takes nothing is bounded, and the process is told
// when it takes again.
func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	message := letterOf(hub.Event{At: time.Now(), Kind: hub.KindMessage, DeviceID: "d", Message: &hub.Message{Payload: make([]byte, 1<<20)}})
	w := newWay("d")
	for range 10 { // what is taken counts no more
		for range mostWaiting >> 21 {
			w.give(message)
		}
		for range mostWaiting >> 21 {
			if l, more := w.next(); !more || l.Kind != hub.KindMessage {
				t.Fatalf("%+v, %t", l, more)
			}
		}
	}
	for range mostWaiting>>20 + 20 {
		w.give(message)
	}
	kinds := map[hub.EventKind]int{}
	last := hub.EventKind("")
	for l, more := w.next(); more; l, more = w.next() {
		kinds[l.Kind]++
		last = l.Kind
	}
	if kinds[hub.KindMessage] != mostWaiting>>20 || kinds[hub.KindGap] != 1 || last != hub.KindGap {
		t.Errorf("it has %v, %s last", kinds, last)
	}
}

package localhub

import "testing"

// The oldest events go, a tenth at a time; what is kept has its own Seq, and
// what somebody was given before stays as it was.
func TestOldEventsGo(t *testing.T) {
	v := newEvents()
	for range keepEvents {
		v.add(Event{Kind: KindPacket})
	}
	before := v.Since(0)
	for range keepEvents/2 + 7 {
		v.add(Event{Kind: KindMessage})
	}
	kept := v.Since(0)
	if len(kept) > keepEvents || len(kept) < keepEvents-keepEvents/10 || v.Mark() != 3*keepEvents/2+7 {
		t.Fatalf("%d kept, mark %d", len(kept), v.Mark())
	}
	for i, e := range kept {
		if e.Seq != kept[0].Seq+i || e.Kind == KindPacket != (e.Seq < keepEvents) {
			t.Fatalf("event %d: Seq %d of kind %s", i, e.Seq, e.Kind)
		}
	}
	if last := kept[len(kept)-1].Seq; last != v.Mark()-1 {
		t.Errorf("the newest is %d", last)
	}
	for i, e := range before {
		if e.Seq != i || e.Kind != KindPacket {
			t.Fatalf("a list given before has become %d: %d %s", i, e.Seq, e.Kind)
		}
	}
	if got := testing.AllocsPerRun(keepEvents/5, func() { v.add(Event{Kind: KindPacket}) }); got > 2 {
		t.Errorf("%v allocations for an event", got)
	}
}

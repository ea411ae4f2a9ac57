package hub

import (
	"bytes"
	"sync"
	"testing"
)

// The oldest events go, a tenth at a time; what is kept has its own Seq, and
// what somebody was given before stays as it was.
func TestOldEventsGo(t *testing.T) {
	v := NewEvents("", 0)
	for range keepEvents {
		v.Add(Event{Kind: KindPacket})
	}
	before := v.Since(0)
	for range keepEvents/2 + 7 {
		v.Add(Event{Kind: KindMessage})
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
	if got := testing.AllocsPerRun(keepEvents/5, func() { v.Add(Event{Kind: KindPacket}) }); got > 2 {
		t.Errorf("%v allocations for an event", got)
	}
}

// A record that is full shortens its oldest payloads, and lets events go only
// where that is not enough; who was given one before has it whole.
func TestTheRecordIsBoundedInBytes(t *testing.T) {
	v := NewEvents("", 0)
	v.most = 1 << 20
	payload := bytes.Repeat([]byte("x"), 100<<10)
	message := func() { v.Add(Event{Kind: KindMessage, Message: &Message{Payload: bytes.Clone(payload)}}) }
	message()
	before := v.Since(0)
	heard := 0
	stop := v.Watch(func(e Event) { heard += len(e.Message.Payload) })
	for range 99 {
		message()
	}
	stop()
	kept, whole := v.Since(0), 0
	for i, e := range kept {
		switch m := e.Message; {
		case !m.Cut && bytes.Equal(m.Payload, payload):
			whole++
		case whole > 0 || !m.Cut || !bytes.Equal(m.Payload, payload[:keepPayload]):
			t.Fatalf("event %d: %d bytes, cut %v, behind %d whole ones", i, len(m.Payload), m.Cut, whole)
		}
	}
	if len(kept) != 100 || whole < 8 || whole > 10 || v.bytes > v.most {
		t.Errorf("%d events, %d of them whole, %d bytes", len(kept), whole, v.bytes)
	}
	if len(before[0].Message.Payload) != len(payload) || heard != 99*len(payload) {
		t.Errorf("a message given before has %d bytes; %d were heard", len(before[0].Message.Payload), heard)
	}
	for range 10_000 {
		v.Add(Event{Kind: KindPacket, Packet: &Packet{}})
	}
	sum := 0
	for _, e := range v.Since(0) {
		sum += e.size()
	}
	if v.bytes != sum || sum > v.most || sum < v.most/2 || v.Since(0)[0].Seq < 100 {
		t.Errorf("%d bytes are %d; the first is %d", v.bytes, sum, v.Since(0)[0].Seq)
	}
}

// Who follows a record is told each event once and in order: those of before,
// and those that come while he is told.
func TestFollow(t *testing.T) {
	const writers, each = 4, 500
	v := NewEvents("", 0)
	var adding sync.WaitGroup
	half := make(chan struct{}, writers)
	for range writers {
		adding.Go(func() {
			for i := range each {
				v.Add(Event{Kind: KindPacket})
				if i == each/2 {
					half <- struct{}{}
				}
			}
		})
	}
	<-half
	var seqs []int
	stop := v.Follow(func(e Event) { seqs = append(seqs, e.Seq) })
	adding.Wait()
	stop()
	v.Add(Event{Kind: KindPacket})
	for i, seq := range seqs {
		if seq != i {
			t.Fatalf("event %d is told as number %d", seq, i)
		}
	}
	if len(seqs) != writers*each {
		t.Errorf("%d events are told of %d", len(seqs), writers*each)
	}
}

package hub

import (
	"slices"
	"testing"
	"time"
)

// What could have been missed between two moments.
func TestMissed(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	v := NewEvents("a", 0)
	for _, e := range []Event{
		{Kind: KindListening, Gap: &Gap{To: at(0), Why: "not there yet"}},
		{Kind: KindMessage, Message: &Message{}},
		{Kind: KindGap, Gap: &Gap{From: at(10), Why: "cut"}},
		{Kind: KindListening, Gap: &Gap{From: at(10), To: at(20), Why: "cut"}},
		{Kind: KindGap, Gap: &Gap{From: at(40), Why: "gone"}},
	} {
		v.Add(e)
	}
	for _, c := range []struct {
		name     string
		from, to int
		want     []string
	}{
		{"before it listened", -5, 5, []string{"not there yet"}},
		{"while it listened", 1, 9, nil},
		{"over a gap", 5, 30, []string{"cut"}},
		{"in a gap", 12, 13, []string{"cut"}},
		{"up to a gap", 5, 10, nil},
		{"from a gap on", 20, 39, nil},
		{"in what goes on", 50, 60, []string{"gone"}},
		{"everything", -5, 60, []string{"not there yet", "cut", "gone"}},
	} {
		var got []string
		for _, g := range v.Missed(at(c.from), at(c.to)) {
			got = append(got, g.Why)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := NewEvents("b", 0).Missed(began, at(60)); got != nil {
		t.Errorf("a hub that never said anything of gaps: %v", got)
	}
}

// However often a connection is lost, what is kept stays within its bounds and
// covers all that was missed.
func TestGapsAreBounded(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	v := NewEvents("a", 0)
	for i := range 3 * mostGaps {
		from := began.Add(time.Duration(2*i) * time.Second)
		v.Add(Event{Kind: KindGap, Gap: &Gap{From: from}})
		v.Add(Event{Kind: KindListening, Gap: &Gap{From: from, To: from.Add(time.Second)}})
	}
	all := v.Missed(began, began.Add(24*time.Hour))
	if len(all) != mostGaps || !all[0].From.Equal(began) {
		t.Errorf("%d gaps, the first from %s", len(all), all[0].From)
	}
}

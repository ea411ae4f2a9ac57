package wording

import (
	"fmt"
	"testing"

	"hilrig/record"
)

// One cause on many boards is one thing to look at.
func TestOneCauseOnManyBoardsIsGathered(t *testing.T) {
	fail := func(id, seen string) record.SpecResult {
		return record.SpecResult{ID: id, Verdict: record.Fail, Class: record.ClassDevice, Seen: seen}
	}
	board := func(name, id string, specs ...record.SpecResult) record.DeviceRecord {
		return record.DeviceRecord{Name: name, DeviceID: id, Specs: specs}
	}
	r := &record.Record{Devices: []record.DeviceRecord{
		board("left", "Ada", fail("tls/sni", "no name within 3s"), fail("tls/version", "TLS 1.1")),
		board("mid", "Bob", fail("tls/sni", "no name within 4.5s"), fail("delivery/topic", "topic devices/Bob of mid")),
		board("right", "Cid", fail("tls/sni", "another name"), fail("delivery/topic", "topic devices/Cid of right")),
		board("green", "Dan", record.SpecResult{ID: "tls/sni", Verdict: record.Pass}),
	}}
	var got []string
	for _, g := range Alike(r, record.Fail) {
		got = append(got, g[0].Spec.ID+": "+Boards(g, 3))
	}
	want := []string{"tls/sni: left, mid", "delivery/topic: mid, right", "tls/version: left", "tls/sni: right"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManyBoardsAreNamedInPart(t *testing.T) {
	of := func(n int) (on []On) {
		for i := range n {
			on = append(on, On{Device: fmt.Sprint("b", i)})
		}
		return on
	}
	for n, want := range map[int]string{1: "b0", 3: "b0, b1, b2", 4: "b0, b1, b2, b3", 5: "b0, b1, b2 and 2 others"} {
		if got := Boards(of(n), 3); got != want {
			t.Errorf("%d boards: %q, want %q", n, got, want)
		}
	}
}

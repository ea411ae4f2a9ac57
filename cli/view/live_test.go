package view

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// A new round begins at nothing, also on the line of all boards.
func TestANewRoundBeginsAtNothing(t *testing.T) {
	to := Streams{Out: io.Discard, Err: io.Discard, LogTo: terminal.NewRedirect(io.Discard), Log: slog.New(slog.DiscardHandler)}
	p := &runner.Plan{Hubs: []rigfile.Hub{rigfile.DefaultHub()}, Own: map[string][]fixtures.Spec{}}
	for _, name := range []string{"a", "b"} {
		p.Devices = append(p.Devices, rigfile.Device{Name: name})
		p.Own[name] = []fixtures.Spec{{ID: "tls/1"}, {ID: "tls/2"}}
	}
	v := newLive(to, p, nil)
	defer v.Close()
	for _, name := range []string{"a", "b"} {
		v.Event(record.Event{Device: name, Kind: record.KindSpecFinished, Data: record.MustData(record.SpecResult{ID: "tls/1", Verdict: record.Fail})})
	}
	if at := v.total.Current(); at != 2 || v.sum.red != 2 {
		t.Errorf("the first round stands at %d, %+v", at, v.sum)
	}
	v.Event(record.Event{Kind: runner.KindRunStarted, Data: record.MustData(record.Run{Round: 2, Rounds: 2})})
	if at := v.total.Current(); at != 0 || v.sum.tally != (tally{total: 4}) {
		t.Errorf("the second round begins at %d, %+v", at, v.sum)
	}
}

func TestTheLineOfAllBoardsSaysHowFarTheRunIs(t *testing.T) {
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for want, c := range map[string]struct {
		sum   sum
		after time.Duration
		ink   terminal.Palette
	}{
		" 0/40  3s  about 1m20s left":         {sum{tally: tally{total: 40}}, 3 * time.Second, false},
		" 10/40  20s  about 1m0s left":        {sum{tally: tally{done: 10, total: 40}}, 20 * time.Second, false},
		" 10/40  2 red  20s  about 1m0s left": {sum{tally: tally{done: 10, red: 2, total: 40}}, 20 * time.Second, false},
		" 40/40  \x1b[31m1 red\x1b[0m  1m20s": {sum{tally: tally{done: 40, red: 1, total: 40}}, 80 * time.Second, true},
	} {
		c.sum.began, c.sum.end = began, began.Add(80*time.Second)
		if got := c.sum.text(c.ink, began.Add(c.after)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheLineOfABoardFitsItsRoom(t *testing.T) {
	step := moving{tally: tally{done: 3, total: 9, red: 2}, spec: "tls/sni", what: "the hub waits for a session", since: time.Now()}
	for _, c := range []struct {
		m    moving
		ink  terminal.Palette
		room int
		want string
	}{
		{moving{tally: tally{done: 3, total: 9}}, false, 80, " 3/9"},
		{moving{tally: tally{done: 3, total: 9, red: 2}}, false, 80, " 3/9  2 red"},
		{step, false, 80, " 3/9  2 red  tls/sni  the hub waits for a session  0.0 s"},
		{step, false, 40, " 3/9  2 red  tls/sni  the hub wa…  0.0 s"},
		{step, true, 40, " 3/9  \x1b[31m2 red\x1b[0m  tls/sni  the hub wa…  0.0 s"}, // colours take no room
		{step, false, 30, " 3/9  2 red  tls/sni  0.0 s"},
		{moving{tally: tally{done: 42, total: 42, notRun: 42}}, false, 80, " 42/42  42 not run"}, // it is not green
		{moving{tally: tally{done: 5, total: 42, red: 1, notRun: 3}}, false, 80, " 5/42  1 red  3 not run"},
		{moving{tally: tally{done: 3, total: 9}, spec: "provisioning/rejects-unknown-slot", since: time.Now()}, false, 30, " 3/9  provisioning/rej…  0.0 s"}, // the time stays
		{moving{tally: tally{done: 3, total: 9}, spec: "provisioning/rejects-unknown-slot", since: time.Now()}, false, 5, " 3/9  provisi…  0.0 s"},
	} {
		if got := c.m.text(c.ink, c.room); got != c.want {
			t.Errorf("with room for %d: %q, want %q", c.room, got, c.want)
		}
	}
}

// Names and narrow terminals leave room for what is said.
func TestALongNameLeavesRoomForTheRest(t *testing.T) {
	for _, c := range []struct {
		terminal, name, names int
		bar                   bool
	}{
		{0, 40, 40, true}, {80, 8, 8, true}, {80, 40, 26, true}, {200, 40, 40, true}, {100, 40, 33, true}, {50, 8, 8, false}, {38, 40, 12, false}, {10, 40, 8, false},
	} {
		if names, bar := room(c.terminal, c.name); names != c.names || bar != c.bar {
			t.Errorf("names of %d on %d columns: %d, a bar: %v", c.name, c.terminal, names, bar)
		}
	}
}

// What did not run is counted as that, on its board's line and on that of all.
func TestWhatDidNotRunIsNoneOfTheGreen(t *testing.T) {
	var n tally
	for _, v := range []record.Verdict{record.Pass, record.NotRun, record.Fail, record.Error, record.NotApplicable, record.NotRun} {
		n.ended(v)
	}
	if want := (tally{done: 6, red: 2, notRun: 2}); n != want {
		t.Errorf("%+v, want %+v", n, want)
	}
}

// Colours are put on a line that was laid out without them.
func TestTheTallyOfALineIsPainted(t *testing.T) {
	n := tally{done: 5, red: 1, notRun: 11, total: 42}
	line := n.parts(false)
	if got, want := n.paint(true, strings.Join(line, "  ")), " 5/42  \x1b[31m1 red\x1b[0m  \x1b[33m11 not run\x1b[0m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := n.paint(false, " 5/42  1 red"); got != " 5/42  1 red" {
		t.Errorf("without colours: %q", got)
	}
}

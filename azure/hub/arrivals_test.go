package hub_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"hilrig/azure/hub"
)

// A hub that does not show CONNECT shows sessions by their messages.
func TestASessionIsKnownByItsMessages(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	message := func(s int) hub.Event {
		return hub.Event{At: at(s), Kind: hub.KindMessage, DeviceID: "d", Message: &hub.Message{}}
	}
	queued := func(arrived, sent int) hub.Event {
		e := message(arrived)
		e.Message.Enqueued = at(sent)
		return e
	}
	will := message(3)
	will.Message.Will = true
	handshake := func(conn int64) hub.Event {
		return hub.Event{Kind: hub.KindHandshake, Conn: conn, Handshake: &hub.Handshake{OK: true}}
	}
	over := func(s int) func(*hub.Events) { return func(v *hub.Events) { v.Over("d", at(s)) } }
	add := func(e hub.Event) func(*hub.Events) { return func(v *hub.Events) { v.Add(e) } }
	for _, c := range []struct {
		name        string
		connections bool
		steps       []func(*hub.Events)
		want        []string // kinds with their connections
		live        bool
	}{
		{"one", false, []func(*hub.Events){add(message(1)), add(message(2))},
			[]string{"connect 1", "message 1", "message 1"}, true},
		{"a will is no sign of life", false, []func(*hub.Events){add(will)}, []string{"message 0"}, false},
		{"made to connect anew", false, []func(*hub.Events){add(message(1)), over(2), add(message(3))},
			[]string{"connect 1", "message 1", "connect 2", "message 2"}, true},
		{"on its way when it was made to connect anew", false, []func(*hub.Events){add(message(1)), over(4), add(message(3)), add(message(5))},
			[]string{"connect 1", "message 1", "message 1", "connect 2", "message 2"}, true},
		{"made to once more, and still on its way", false, []func(*hub.Events){add(message(1)), over(4), over(2), add(message(3))},
			[]string{"connect 1", "message 1", "message 1"}, false},
		{"heard late", false, []func(*hub.Events){add(message(1)), over(4), add(queued(5, 3))},
			[]string{"connect 1", "message 1", "message 1"}, false},
		{"ended by the hub", false, []func(*hub.Events){add(message(1)), add(hub.Event{At: at(2), Kind: hub.KindDisconnected, DeviceID: "d"}), add(message(3))},
			[]string{"connect 1", "message 1", "disconnected 1", "connect 2", "message 2"}, true},
		{"on the connection that a tap shows", true, []func(*hub.Events){add(handshake(7)), add(message(1)), add(hub.Event{At: at(2), Kind: hub.KindDisconnected, Conn: 7, DeviceID: "d"}), add(handshake(9)), add(message(3))},
			[]string{"handshake 7", "connect 7", "message 7", "disconnected 7", "handshake 9", "connect 9", "message 9"}, true},
		{"by another way than the tap", true, []func(*hub.Events){add(message(1))}, []string{"message 0"}, false},
	} {
		v := hub.NewEvents("d", 0)
		v.ByArrivals(c.connections)
		for _, step := range c.steps {
			step(v)
		}
		var got []string
		for _, e := range v.Since(0) {
			got = append(got, fmt.Sprintf("%s %d", e.Kind, e.Conn))
		}
		if _, live := v.Session("d"); !slices.Equal(got, c.want) || live != c.live {
			t.Errorf("%s: live %v, %q", c.name, live, got)
		}
	}
}

// At a hub that shows CONNECT a message begins nothing.
func TestAHubThatShowsSessionsIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	v := hub.NewEvents("d", 0)
	v.Over("d", time.Now())
	v.Add(hub.Event{Kind: hub.KindMessage, DeviceID: "d", Message: &hub.Message{}})
	if _, live := v.Session("d"); live || len(v.Since(0)) != 1 {
		t.Errorf("%v, live %v", v.Since(0), live)
	}
}

// Where no connection is shown, none is said to be missing.
func TestWhatIsSaidOfADeviceThatIsNotHeard(t *testing.T) {
	t.Parallel()
	place := hub.Place{DeviceID: "d", Name: "hub", Addr: "hub:8883"}
	v := hub.NewEvents("d", 0)
	v.ByArrivals(false)
	if d := v.Diagnose(0, place); d.Text != "no message at hub:8883, which shows no connections" || d.Came {
		t.Errorf("%+v", d)
	}
	v.Add(hub.Event{Kind: hub.KindMessage, DeviceID: "d", Message: &hub.Message{}})
	if d := v.Diagnose(0, place); d.Text != "1 sessions and 1 messages" || !d.Came {
		t.Errorf("%+v", d)
	}
	if d := v.Diagnose(v.Mark(), place); d.Text != "the session up and 0 messages" {
		t.Errorf("%+v", d)
	}
}

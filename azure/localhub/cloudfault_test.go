package localhub_test

import (
	"slices"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// shownFaults are those of the table that are shown, not done at once.
func shownFaults() (all []hub.Fault) {
	for _, f := range localhub.NamedFaults() {
		if f.Now == nil && !f.Away {
			all = append(all, f.Fault)
		}
	}
	return all
}

// named is the fault of that name that needs no parameter.
func named(t *testing.T, name string) hub.Fault {
	t.Helper()
	all := shownFaults()
	i := slices.IndexFunc(all, func(f hub.Fault) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no fault %s", name)
	}
	return all[i]
}

func TestDupDelivery(t *testing.T) {
	b := start(t)
	b.hub.Show(named(t, "dup-delivery"), 1)
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	b.toDevice(hub.DeviceBound{ID: "m"})
	first, second := receive(t, got), receive(t, got)
	if first.Duplicate() || !second.Duplicate() || first.MessageID() != second.MessageID() {
		t.Errorf("got id %d DUP %v, then id %d DUP %v", first.MessageID(), first.Duplicate(), second.MessageID(), second.Duplicate())
	}
	b.toDevice(hub.DeviceBound{ID: "once"})
	receive(t, got)
	nothingMore(t, c, got)
}

func TestLargeDelivery(t *testing.T) {
	b := start(t)
	b.hub.Show(named(t, "large-delivery"), 1)
	c, got := silent(t, b, false)
	b.subscribe(c, 1)
	if m := receive(t, got); len(m.Payload()) != 64<<10-len("large-delivery") {
		t.Errorf("%d bytes", len(m.Payload()))
	}
}

func TestThrottledTelemetry(t *testing.T) {
	b := start(t)
	b.hub.Show(named(t, "throttled"), 1)
	c := b.client()
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	c.Publish(topic, 1, false, "x")
	if e := b.await(0, "the end", kind(hub.KindDisconnected)); e.Fault != "throttled" || e.ByDevice {
		t.Errorf("ended: %+v", e)
	}
	for _, e := range b.hub.Events().Since(0) {
		if e.Kind == hub.KindMessage {
			t.Error("refused, and in the record all the same")
		}
	}
}

func TestSessionPresentAsTheFaultHasIt(t *testing.T) {
	b := start(t)
	present := func() bool {
		t.Helper()
		c := b.client(func(o *mqtt.ClientOptions) { o.SetCleanSession(false) })
		token := c.Connect()
		if err := wait(t, token); err != nil {
			t.Fatal(err)
		}
		from := b.hub.Events().Mark()
		c.Disconnect(0)
		b.await(from, "the end", kind(hub.KindDisconnected))
		return token.(*mqtt.ConnectToken).SessionPresent()
	}
	b.hub.Show(named(t, "session-claimed"), 1)
	got := []bool{present(), present()}
	b.hub.Show(named(t, "session-forgotten"), 1)
	got = append(got, present(), present())
	if want := []bool{true, true, false, true}; !slices.Equal(got, want) {
		t.Errorf("invented, kept, forgotten, kept: got %v", got)
	}
}

func TestSessionsEndAgainAndAgain(t *testing.T) {
	for _, x := range []struct {
		fault    hub.Fault
		takeover bool
	}{{hub.DropEvery(10 * time.Millisecond), false}, {hub.TakenOver(10 * time.Millisecond), true}} {
		b := start(t)
		b.hub.Show(x.fault, 0)
		for range 2 {
			from := b.hub.Events().Mark()
			if err := wait(t, b.client().Connect()); err != nil {
				t.Fatal(err)
			}
			if e := b.await(from, "the end", kind(hub.KindDisconnected)); e.Fault != x.fault.Name || e.Takeover != x.takeover {
				t.Errorf("%s: ended %+v", x.fault.Name, e)
			}
		}
	}
}

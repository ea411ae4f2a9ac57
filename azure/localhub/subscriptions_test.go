package localhub_test

import (
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
)

// Five filters at a time are counted over the session, whatever the packets
// and connections they come in.
func TestFiltersOfASession(t *testing.T) {
	b := start(t)
	c, _ := twinned(t, b, "a", "b", "c", "d", "e", "e")
	if err := wait(t, c.Unsubscribe("a")); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, c.Subscribe("f", 0, nil)); err != nil {
		t.Fatal(err)
	}
	from := b.hub.Events().Mark()
	c.Disconnect(0)
	b.await(from, "the end", kind(hub.KindDisconnected))
	c, _ = twinned(t, b, "b")
	from = b.hub.Events().Mark()
	c.Subscribe("g", 0, nil)
	if e := b.await(from, "the end", kind(hub.KindDisconnected)); !strings.Contains(e.Text, "takes 5") {
		t.Errorf("ended: %s", e.Text)
	}
	from = b.hub.Events().Mark()
	c, _ = twinned(t, b, "b", "f") // what was refused is none of the five
	c.Disconnect(0)
	b.await(from, "the end", kind(hub.KindDisconnected))
	c = b.client(func(o *mqtt.ClientOptions) { o.SetCleanSession(true) })
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, c.Subscribe("g", 0, nil)); err != nil {
		t.Errorf("a clean session begins with no filter: %v", err)
	}
}

// A filter is served from its SUBACK to its UNSUBSCRIBE, or to the end of a
// clean session.
func TestServes(t *testing.T) {
	b := start(t)
	b.hub.Show(named(t, "no-suback"), 1)
	c := b.client(func(o *mqtt.ClientOptions) { o.SetCleanSession(false) })
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	serves := func(want bool, when string) {
		t.Helper()
		if b.hub.Serves(deviceID, readTopic) != want {
			t.Errorf("%s: want %v", when, want)
		}
	}
	serves(false, "before it")
	from := b.hub.Events().Mark()
	c.Subscribe(readTopic, 1, nil)
	b.await(from, "the SUBACK kept back", kind(hub.KindServed))
	serves(true, "a SUBACK that is lost")
	if err := wait(t, c.Unsubscribe(readTopic)); err != nil {
		t.Fatal(err)
	}
	serves(false, "unsubscribed")
	b.subscribe(c, 1)
	from = b.hub.Events().Mark()
	c.Disconnect(0)
	b.await(from, "the end", kind(hub.KindDisconnected))
	serves(true, "away, with a persistent session")
	if err := wait(t, b.client().Connect()); err != nil { // paho's session is a clean one
		t.Fatal(err)
	}
	serves(false, "a clean session")
}

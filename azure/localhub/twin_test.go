package localhub_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// twinned is a device that has subscribed to what these filters are of.
func twinned(t *testing.T, b *bench, filters ...string) (mqtt.Client, <-chan mqtt.Message) {
	t.Helper()
	got := make(chan mqtt.Message, 16)
	c := b.client(func(o *mqtt.ClientOptions) {
		o.SetCleanSession(false).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m })
	})
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	for _, f := range filters {
		if err := wait(t, c.Subscribe(f, 0, nil)); err != nil {
			t.Fatal(err)
		}
	}
	return c, got
}

const (
	twinResults = "$iothub/twin/res/#"
	twinDesired = "$iothub/twin/PATCH/properties/desired/#"
	twinGet     = "$iothub/twin/GET/?$rid="
	twinReport  = "$iothub/twin/PATCH/properties/reported/?$rid="
)

func TestTwinRequests(t *testing.T) {
	b := start(t)
	c, got := twinned(t, b, twinResults)
	for _, x := range []struct{ name, topic, payload, answer, body string }{
		{"a new twin", twinGet + "1", "", "200/?$rid=1", `{"desired":{"$version":1},"reported":{"$version":1}}`},
		{"a report", twinReport + "a2", `{"a":{"b":1,"c":4503599627370495},"d":"<&>"}`, "204/?$rid=a2&$version=2", ""},
		{"it is merged, null deletes", twinReport + "3", `{"a":{"b":null,"e":[1]},"d":null,"$version":9}`, "204/?$rid=3&$version=3", ""},
		{"and kept", twinGet + "4", "", "200/?$rid=4", `{"desired":{"$version":1},"reported":{"a":{"c":4503599627370495,"e":[1]},"$version":3}}`},
		{"no JSON", twinReport + "5", `{"a":`, "400/?$rid=5", ""},
		{"no object", twinReport + "6", `[1]`, "400/?$rid=6", ""},
		{"null", twinReport + "7", `null`, "400/?$rid=7", ""},
		{"two objects", twinReport + "8", `{}{}`, "400/?$rid=8", ""},
		{"a name with a dot", twinReport + "9", `{"a":{"b.c":1}}`, "400/?$rid=9", ""},
		{"too deep", twinReport + "10", strings.Repeat(`{"a":`, 12) + "1" + strings.Repeat("}", 12), "400/?$rid=10", ""},
		{"too much", twinReport + "11", `{"a":["` + strings.Repeat(strings.Repeat("x", 4000)+`","`, 9) + `"]}`, "413/?$rid=11", ""},
		{"too long a text", twinReport + "13", `{"a":"` + strings.Repeat("x", 5000) + `"}`, "400/?$rid=13", ""},
		{"an integer too large", twinReport + "14", `{"a":12345678901234567890}`, "400/?$rid=14", ""},
		{"what was refused changed nothing", twinGet + "12", "", "200/?$rid=12", `{"desired":{"$version":1},"reported":{"a":{"c":4503599627370495,"e":[1]},"$version":3}}`},
	} {
		if err := wait(t, c.Publish(x.topic, 0, false, x.payload)); err != nil {
			t.Fatal(err)
		}
		m := receive(t, got)
		if want := "$iothub/twin/res/" + x.answer; m.Topic() != want || string(m.Payload()) != x.body || m.Qos() != 0 || m.Retained() {
			t.Errorf("%s: got %s %s, want %s %s", x.name, m.Topic(), m.Payload(), want, x.body)
		}
	}
}

// A twin outlives sessions; what was desired meanwhile the device must ask for.
func TestTwinIsKept(t *testing.T) {
	b := start(t)
	c, got := twinned(t, b, twinDesired)
	from := b.hub.Events().Mark()
	if _, err := b.hub.PatchDesired(deviceID, []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	m := receive(t, got)
	if m.Topic() != "$iothub/twin/PATCH/properties/desired/?$version=2" || string(m.Payload()) != `{"a":1,"$version":2}` {
		t.Errorf("told %s %s", m.Topic(), m.Payload())
	}
	c.Disconnect(0)
	b.await(from, "the end", kind(hub.KindDisconnected))
	if _, err := b.hub.PatchDesired(deviceID, []byte(`{"a":null,"b":2}`)); err != nil {
		t.Fatal(err)
	}
	c, got = twinned(t, b, twinResults)
	if err := wait(t, c.Publish(twinGet+"1", 0, false, "")); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got); string(m.Payload()) != `{"desired":{"b":2,"$version":3},"reported":{"$version":1}}` {
		t.Errorf("got %s %s", m.Topic(), m.Payload())
	}
	if v, ok := b.hub.Twin(deviceID); !ok || v.DesiredVersion != 3 || v.Version != 4 || string(v.Desired) != `{"b":2,"$version":3}` {
		t.Errorf("the service sees %+v, %v", v, ok)
	}
}

// Whoever has not subscribed to answers gets none, and is not cut.
func TestTwinAnswerNeedsItsSubscription(t *testing.T) {
	b := start(t)
	c, got := twinned(t, b)
	if err := wait(t, c.Publish(twinGet+"1", 1, false, "")); err != nil {
		t.Fatal(err)
	}
	nothingMore(t, c, got)
	e := b.await(0, "the request", kind(hub.KindTwin))
	if !e.Twin.Unheard || e.Twin.Op != hub.TwinGet {
		t.Errorf("got %+v", e.Twin)
	}
}

func TestTwinThrottled(t *testing.T) {
	b := start(t)
	b.hub.Show(hub.Fault{Name: "busy", TwinStatus: 429}, 1)
	c, got := twinned(t, b, twinResults)
	for _, want := range []string{"429/?$rid=r", "200/?$rid=r"} {
		if err := wait(t, c.Publish(twinGet+"r", 0, false, "")); err != nil {
			t.Fatal(err)
		}
		if m := receive(t, got); m.Topic() != "$iothub/twin/res/"+want {
			t.Errorf("got %s, want %s", m.Topic(), want)
		}
	}
}

func TestPatchDesiredIsRefused(t *testing.T) {
	b := start(t)
	_, unknown := b.hub.PatchDesired("nobody", []byte(`{}`))
	_, wrong := b.hub.PatchDesired(deviceID, []byte(`{`))
	for want, err := range map[int]error{404: unknown, 400: wrong} {
		if r := (*localhub.Refusal)(nil); !errors.As(err, &r) || r.Status != want {
			t.Errorf("want %d, got %v", want, err)
		}
	}
	if _, ok := b.hub.Twin("nobody"); ok {
		t.Error("nobody has a twin")
	}
}

// Whatever is sent as a patch, the twin stays a JSON object without nulls, and
// counts what it took.
func FuzzPatchDesired(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":null}}`, `{"a":1}{`, `null`, `{"$version":1e400}`, `{"a":[null]}`, "{\"\xff\":1}"} {
		f.Add([]byte(seed))
	}
	hub, err := localhub.New(localhub.Config{Certificate: makePKI().server, Devices: []hub.Device{{ID: deviceID}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = hub.Close(context.Background()) }) // it listens nowhere
	f.Fuzz(func(t *testing.T, patch []byte) {
		before, _ := hub.Twin(deviceID)
		after, err := hub.PatchDesired(deviceID, patch)
		if err != nil {
			if r := (*localhub.Refusal)(nil); !errors.As(err, &r) {
				t.Errorf("%q: %v", patch, err)
			}
			after, _ = hub.Twin(deviceID)
			if after.DesiredVersion != before.DesiredVersion {
				t.Errorf("%q was refused and counted", patch)
			}
			return
		}
		var values map[string]json.RawMessage // numbers may be larger than Go's
		if err := json.Unmarshal(after.Desired, &values); err != nil || after.DesiredVersion != before.DesiredVersion+1 {
			t.Errorf("%q: version %d after %d, %s: %v", patch, after.DesiredVersion, before.DesiredVersion, after.Desired, err)
		}
		for name, v := range values {
			if string(v) == "null" {
				t.Errorf("%q: %s is null", patch, name)
			}
		}
	})
}

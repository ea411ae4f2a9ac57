package localhub_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// What the cloud says of a message, a device cannot say (Azure: "Anti-spoofing
// properties").
func TestMessagesAreStamped(t *testing.T) {
	b := start(t)
	device, _ := b.hub.Lookup(deviceID)
	const model = "dtmi:com:example:Thermostat;1"
	c := b.client(func(o *mqtt.ClientOptions) {
		o.SetUsername(userName + "&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1")
	})
	if err := wait(t, c.Connect()); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, c.Publish(topic+"%24.cmid=module&$.cdid=other&$.ct=text%2Fplain", 1, false, "x")); err != nil {
		t.Fatal(err)
	}
	m := b.await(0, "the message", kind(hub.KindMessage)).Message
	at := m.System["iothub-enqueuedtime"]
	delete(m.System, "iothub-enqueuedtime")
	for name, want := range map[string]string{
		"iothub-connection-device-id": deviceID, "iothub-connection-auth-generation-id": device.Generation,
		"iothub-connection-auth-method": `{"scope":"device","type":"x509","issuer":"iothub"}`, "dt-dataschema": model, "content-type": "text/plain",
	} {
		if m.System[name] != want || want == "" {
			t.Errorf("%s is %q, want %q", name, m.System[name], want)
		}
		delete(m.System, name)
	}
	if len(m.System) > 0 || len(m.Properties) > 0 {
		t.Errorf("and %v, %v", m.System, m.Properties)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", at); err != nil || len(at) != 24 {
		t.Errorf("enqueued %q: %v", at, err)
	}
	if v, _ := b.hub.Twin(deviceID); v.ModelID != model {
		t.Errorf("the twin's model is %q", v.ModelID)
	}
}

// A device that is registered again has another generation; one that is only
// changed keeps its own.
func TestGeneration(t *testing.T) {
	b := start(t)
	first, _ := b.hub.Lookup(deviceID)
	b.hub.Register(hub.Device{ID: deviceID, Disabled: true})
	changed, _ := b.hub.Lookup(deviceID)
	b.hub.Unregister(deviceID)
	b.hub.Register(first)
	again, _ := b.hub.Lookup(deviceID)
	if len(first.Generation) != 18 || changed.Generation != first.Generation || again.Generation == first.Generation {
		t.Errorf("generations %q, %q, %q", first.Generation, changed.Generation, again.Generation)
	}
}

// The service's view of a twin, as recorded of the real hub: $metadata behind
// the values, $version last.
func TestTwinHasMetadata(t *testing.T) {
	b := start(t)
	before := time.Now()
	write := func(change localhub.TwinChange) hub.Twin {
		t.Helper()
		v, err := b.hub.WriteTwin(deviceID, change)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := write(localhub.TwinChange{Desired: []byte(`{"a":{"b":1},"z":2,"$metadata":{"x":1},"$version":99}`), Tags: []byte(`{"site":"<1>"}`)})
	if string(v.Tags) != `{"site":"<1>"}` || v.Version != 3 || v.Written != 2 || v.DesiredVersion != 2 {
		t.Errorf("got %s, %+v", v.Tags, v)
	}
	type meta struct {
		At      time.Time `json:"$lastUpdated"`
		Version int       `json:"$lastUpdatedVersion"`
	}
	read := func() (m struct {
		meta
		A struct {
			meta
			B meta
		}
		Z *meta
	}) {
		t.Helper()
		var full struct {
			Meta json.RawMessage `json:"$metadata"`
		}
		if err := errors.Join(json.Unmarshal(v.DesiredFull, &full), json.Unmarshal(full.Meta, &m)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := read(); m.Version != 2 || m.A.Version != 2 || m.A.B.Version != 2 || m.Z.Version != 2 || m.A.B.At.Before(before.Add(-time.Second)) {
		t.Errorf("metadata %s", v.DesiredFull)
	}
	if !strings.HasPrefix(string(v.DesiredFull), `{"a":{"b":1},"z":2,"$metadata":{`) || !strings.HasSuffix(string(v.DesiredFull), `},"$version":2}`) {
		t.Errorf("the order is %s", v.DesiredFull)
	}
	v = write(localhub.TwinChange{Desired: []byte(`{"a":{"c":1},"z":null}`)})
	if m := read(); m.Version != 3 || m.A.Version != 3 || m.A.B.Version != 2 || m.Z != nil {
		t.Errorf("metadata after a change: %s", v.DesiredFull)
	}
	v = write(localhub.TwinChange{Replace: true, Desired: []byte(`{"n":1}`)})
	if string(v.Desired) != `{"n":1,"$version":4}` || v.Tags != nil || strings.Contains(string(v.DesiredFull), `"a"`) {
		t.Errorf("replaced: %s, tags %s", v.DesiredFull, v.Tags)
	}
}

// What is wrong with one part changes no part.
func TestTwinIsWrittenWholeOrNotAtAll(t *testing.T) {
	b := start(t)
	before, _ := b.hub.Twin(deviceID)
	for _, change := range []localhub.TwinChange{
		{Desired: []byte(`{"a":1}`), Tags: []byte(`{"a.b":1}`)},
		{Desired: []byte(`{"a":"` + strings.Repeat("x", 5000) + `"}`), Tags: []byte(`{"a":1}`)},
		{Tags: []byte(`{"a":["` + strings.Repeat(strings.Repeat("x", 4000)+`","`, 3) + `"]}`)},
	} {
		if _, err := b.hub.WriteTwin(deviceID, change); err == nil {
			t.Errorf("taken: %.60s %.60s", change.Desired, change.Tags)
		}
	}
	if after, _ := b.hub.Twin(deviceID); after.Version != before.Version || after.Tags != nil {
		t.Errorf("changed to %+v", after)
	}
}

// Azure: "Create and read IoT Hub messages": ASCII; 64 kB of body and
// properties.
func TestMessageToDeviceIsRefused(t *testing.T) {
	b := start(t)
	for name, m := range map[string]hub.DeviceBound{
		"a value beyond ASCII": {ID: "m", Properties: map[string]string{"a": "25 °C"}},
		"a name beyond ASCII":  {ID: "m", Properties: map[string]string{"größe": "1"}},
		"an id beyond ASCII":   {ID: "ö"},
		"a line end":           {ID: "m", Properties: map[string]string{"a": "b\nc"}},
		"an empty name":        {ID: "m", Properties: map[string]string{"": "c"}},
		"a byte too many":      {ID: "m", Payload: make([]byte, 64<<10-2), Properties: map[string]string{"a": "b"}},
	} {
		if r := (*localhub.Refusal)(nil); !errors.As(b.hub.SendToDevice(deviceID, m), &r) || r.Status != 400 && r.Status != 413 {
			t.Errorf("%s: %v", name, r)
		}
	}
	if err := b.hub.SendToDevice(deviceID, hub.DeviceBound{ID: "m", Payload: make([]byte, 64<<10-3), Properties: map[string]string{"a": "b"}}); err != nil {
		t.Error(err)
	}
}

// The caller does not get what a method may not answer.
func TestMethodAnswerIsTooLarge(t *testing.T) {
	b := start(t)
	c, got := twinned(t, b, methodFilter)
	go func() {
		m := <-got
		_, rid, _ := strings.Cut(m.Topic(), "/?$rid=")
		c.Publish("$iothub/methods/res/200/?$rid="+rid, 0, false, `"`+strings.Repeat("x", 128<<10)+`"`)
	}()
	_, _, err := b.hub.Invoke(t.Context(), deviceID, "m", nil, 5*time.Second)
	if r := (*localhub.Refusal)(nil); !errors.As(err, &r) || r.Code != 502101 {
		t.Errorf("got %v", err)
	}
}

// connectTimeoutInSeconds: a device that comes in time is waited for.
func TestAwaitMethods(t *testing.T) {
	b := start(t)
	if b.hub.AwaitMethods(t.Context(), deviceID, 20*time.Millisecond) {
		t.Error("a device that is away takes methods")
	}
	came := make(chan bool, 1)
	go func() { came <- b.hub.AwaitMethods(t.Context(), deviceID, 20*time.Second) }()
	c, _ := twinned(t, b)
	select {
	case <-came:
		t.Error("a device without a subscription takes methods")
	case <-time.After(50 * time.Millisecond):
	}
	if err := wait(t, c.Subscribe(methodFilter, 0, nil)); err != nil {
		t.Fatal(err)
	}
	if !<-came || !b.hub.AwaitMethods(t.Context(), deviceID, 0) {
		t.Error("it subscribed, and takes none")
	}
	if !slices.ContainsFunc(b.hub.Events().Since(0), func(e hub.Event) bool { return e.Kind == hub.KindServed }) {
		t.Error("no event of it")
	}
}

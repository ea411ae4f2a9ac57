package localhub_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
)

// said is a CONNECT in the making; flags that belong to a field are set with it.
type said struct {
	id       string
	flags    byte
	will     *mqttwire.Will
	password *string
}

func (c said) body() []byte {
	flags, fields := c.flags|0x80, text(c.id)
	if c.will != nil {
		flags |= 4 | c.will.QoS<<3
		if c.will.Retain {
			flags |= 0x20
		}
		fields = append(append(fields, text(c.will.Topic)...), text(string(c.will.Payload))...)
	}
	fields = append(fields, text("localhost/"+c.id+"/?api-version=2021-04-12")...)
	if c.password != nil {
		flags |= 0x40
		fields = append(fields, text(*c.password)...)
	}
	return append(append(text("MQTT"), 4, flags, 0, 60), fields...)
}

// opens opens a session, and returns whether one was present.
func (d *device) opens(c said) bool {
	d.t.Helper()
	d.dial()
	d.say(mqttwire.CONNECT, c.body())
	f := d.hear(mqttwire.CONNACK)
	d.is("CONNACK", fmt.Sprint(f.Raw[3]), "0")
	return f.Raw[2] == 1
}

func (d *device) subscribes(filters ...string) []byte {
	d.t.Helper()
	body := []byte{0, 1}
	for _, f := range filters {
		body = append(append(body, text(f)...), 1)
	}
	d.say(0x82, body)
	return d.hear(mqttwire.SUBACK).Raw[4:]
}

func (d *device) publishes(topic string, id byte, payload string) {
	d.t.Helper()
	d.say(0x32, append(append(text(topic), 0, id), payload...))
	d.hear(mqttwire.PUBACK)
}

// pair is a hub with two devices.
func pair(t *testing.T) (b *bench, one, two *device) {
	t.Helper()
	b = start(t)
	b.hub.Register(hub.Device{ID: "Other", Thumbprints: []string{sha256Of(b.id)}})
	return b, &device{bench: b, t: t, config: b.tls(b.id)}, &device{bench: b, t: t, config: b.tls(b.id)}
}

// IoT Hub is no general broker: whatever a device subscribes to, and however it
// comes back, it gets nothing of what devices publish.
func TestNothingThatIsPublishedReachesASubscriber(t *testing.T) {
	_, one, two := pair(t)
	one.opens(said{id: deviceID})
	one.subscribes(topic, topic+"#", "$SYS/#")
	two.opens(said{id: "Other"})
	two.subscribes("#", "$iothub/#", "devices/+/messages/events/#", "$SYS/#")
	for id := byte(1); id < 4; id++ {
		one.publishes(topic, id, "reading")
	}
	one.publishes("$iothub/twin/PATCH/properties/reported/?$rid=1", 9, `{"a":1}`)
	one.hearsNothing()
	two.hearsNothing()
	_ = one.Close()
	if !one.opens(said{id: deviceID}) {
		t.Error("the session was not kept")
	}
	one.hearsNothing()
}

// A will is telemetry or nothing: it reaches no device, whatever its topic.
func TestAWillReachesNoDevice(t *testing.T) {
	b, one, two := pair(t)
	two.opens(said{id: "Other"})
	two.subscribes("devices/Other/messages/devicebound/#", "$iothub/methods/POST/#")
	for _, topic := range []string{"devices/Other/messages/devicebound/", "$iothub/methods/POST/reboot/?$rid=1", "devices/Other/messages/events/"} {
		from := b.hub.Events().Mark()
		one.opens(said{id: deviceID, will: &mqttwire.Will{Topic: topic, Payload: []byte("x")}})
		if e := b.await(from, "the CONNECT", kind(hub.KindConnect)); !strings.Contains(e.Text, "its will is lost") || e.Connect.Will.Refused == "" {
			t.Errorf("%s: %s", topic, e.Text)
		}
		_ = one.NetConn().Close()
		b.await(from, "the end", kind(hub.KindDisconnected))
	}
	two.hearsNothing()
	if n := len(messages(b)); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// What MQTT 3.1.1 allows in a CONNECT and IoT Hub takes: an empty password
// (section 3.1.3.5, and the guide), a will of any payload, QoS and RETAIN.
func TestConnectsThatAreTaken(t *testing.T) {
	empty := ""
	for name, c := range map[string]said{
		"an empty password":        {password: &empty},
		"a retained will":          {will: &mqttwire.Will{Topic: topic, Payload: []byte("gone"), Retain: true}},
		"a will without a payload": {will: &mqttwire.Will{Topic: topic}},
		"a will of QoS 2":          {will: &mqttwire.Will{Topic: topic, Payload: []byte("gone"), QoS: 2}},
		"all of it":                {password: &empty, flags: 2, will: &mqttwire.Will{Topic: topic, QoS: 2, Retain: true}},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			d := &device{bench: b, t: t, config: b.tls(b.id)}
			c.id = deviceID
			d.opens(c)
		})
	}
}

// A will comes with its content, however its device went, but by DISCONNECT.
func TestWillIsDeliveredWithItsContent(t *testing.T) {
	will := &mqttwire.Will{Topic: topic + "alarm=1&%24.ct=text%2Fplain", Payload: []byte("power lost"), QoS: 1, Retain: true}
	for name, c := range map[string]struct {
		goes func(*bench, *device)
		will bool
	}{
		"the line is cut":      {func(_ *bench, d *device) { _ = d.NetConn().Close() }, true},
		"the hub drops it":     {func(b *bench, _ *device) { b.hub.Drop(deviceID) }, true},
		"another takes over":   {func(b *bench, d *device) { (&device{bench: b, t: d.t, config: d.config}).opens(said{id: deviceID}) }, true},
		"an illegal packet":    {func(_ *bench, d *device) { d.say(0x38, text(topic)) }, true},
		"it says DISCONNECT":   {func(_ *bench, d *device) { d.say(mqttwire.DISCONNECT, nil) }, false},
		"and then it is heard": {func(_ *bench, d *device) { _, _ = d.Write([]byte{0xe0, 0, 0xc0, 0}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			d := &device{bench: b, t: t, config: b.tls(b.id)}
			d.opens(said{id: deviceID, will: will})
			c.goes(b, d)
			b.await(0, "the end", kind(hub.KindDisconnected))
			got := messages(b)
			if len(got) != map[bool]int{true: 1}[c.will] {
				t.Fatalf("%d messages", len(got))
			}
			if !c.will {
				return
			}
			m := got[0].Message
			if !m.Will || got[0].Telemetry() || string(m.Payload) != "power lost" || m.Properties["iothub-MessageType"] != "Will" ||
				m.Properties["alarm"] != "1" || m.Properties["mqtt-retain"] != "true" || m.System["content-type"] != "text/plain" || m.QoS != 1 {
				t.Errorf("%+v", m)
			}
		})
	}
}

// Whoever asks for it, no return code but 0 to 5 leaves the hub (MQTT 3.1.1
// section 3.2.2.3).
func TestNoOtherReturnCodeLeaves(t *testing.T) {
	for _, code := range []byte{6, 128, 130, 132, 154, 155, 255} {
		b := start(t)
		b.hub.Show(hub.Fault{Name: "impossible", ReturnCode: code}, 0)
		d := &device{bench: b, t: t, config: b.tls(b.id)}
		d.sayConnect()
		got, _ := io.ReadAll(d)
		if len(got) != 0 {
			t.Errorf("code %d: the device gets % x", code, got)
		}
		b.await(0, "the end", kind(hub.KindDisconnected))
	}
}

// Packets that a server closes the connection for [MQTT-4.8.0-1], and those
// that it lives with.
func TestPacketsAreAnsweredOrEndTheConnection(t *testing.T) {
	publish := func(topic string, more ...byte) []byte { return append(text(topic), more...) }
	for name, c := range map[string]struct {
		header byte
		body   []byte
		closed string // empty: the session goes on
	}{
		"DUP at QoS 0":             {0x38, publish(topic), "[MQTT-3.3.1-2]"},
		"both QoS bits":            {0x36, publish(topic, 0, 1), "[MQTT-3.3.1-4]"},
		"packet identifier 0":      {0x32, publish(topic, 0, 0), "[MQTT-2.3.1-1]"},
		"a wildcard":               {0x30, publish(topic + "#"), "[MQTT-3.3.2-2]"},
		"no UTF-8":                 {0x30, publish(topic + "\xff"), "[MQTT-1.5.3-1]"},
		"a SUBSCRIBE of nothing":   {0x82, []byte{0, 1}, "[MQTT-3.8.3-3]"},
		"a requested QoS of 3":     {0x82, append([]byte{0, 1, 0, 1, 'a'}, 3), "[MQTT-3-8.3-4]"},
		"a SUBSCRIBE's flags":      {0x80, append([]byte{0, 1, 0, 1, 'a'}, 1), "[MQTT-3.8.1-1]"},
		"a server's packet":        {0x90, []byte{0, 1, 0}, "MQTT 2.2.1"},
		"PUBREL":                   {0x62, []byte{0, 1}, "PUBREL"},
		"a packet that ends early": {0x62, []byte{0}, "malformed PUBREL"},
		"PUBREC of nothing":        {0x50, []byte{0, 1}, ""},
		"PUBCOMP of nothing":       {0x70, []byte{0, 1}, ""},
		"PUBACK of nothing":        {0x40, []byte{0, 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			d := &device{bench: b, t: t, config: b.tls(b.id)}
			d.opens(said{id: deviceID})
			d.say(c.header, c.body)
			if c.closed == "" {
				d.say(mqttwire.PINGREQ, nil)
				d.hear(mqttwire.PINGRESP) // and nothing before it
				return
			}
			d.loses(io.EOF)
			if e := b.await(0, "the end", kind(hub.KindDisconnected)); !strings.Contains(e.Text, c.closed) || e.ByDevice {
				t.Errorf("ended: %s", e.Text)
			}
			if n := len(messages(b)); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// A filter that is none is refused, and the others of its packet are taken
// (MQTT 3.1.1 section 3.9.3).
func TestFiltersThatAreNoneAreRefused(t *testing.T) {
	b := start(t)
	d := &device{bench: b, t: t, config: b.tls(b.id)}
	d.opens(said{id: deviceID})
	if codes := d.subscribes("a/#/b", readTopic, "a+", "else"); !bytes.Equal(codes, []byte{0x80, 1, 0x80, 1}) {
		t.Errorf("SUBACK % x", codes)
	}
	if !b.hub.Serves(deviceID, readTopic) || b.hub.Serves(deviceID, "a+") {
		t.Error("what was refused is served, or what was taken is not")
	}
	d.say(0xa2, append([]byte{0, 2}, text(readTopic)...))
	if f := d.hear(mqttwire.UNSUBACK); !bytes.Equal(f.Raw, []byte{0xb0, 2, 0, 2}) {
		t.Errorf("UNSUBACK % x", f.Raw)
	}
}

// What a device said at once is answered at once, in one TLS record; each of it
// is in the record before.
func TestAnswersAreGathered(t *testing.T) {
	b := start(t)
	d := &device{bench: b, t: t, config: b.tls(b.id)}
	d.opens(said{id: deviceID})
	var all []byte
	for id := byte(1); id <= 20; id++ {
		all = append(all, mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: topic, QoS: 1, ID: uint16(id), Payload: bytes.Repeat([]byte{id}, 40)}.AppendTo(nil)...)
	}
	if _, err := d.Write(all); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 200)
	_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := d.Read(answer) // of one record
	if err != nil || n != 20*4 {
		t.Errorf("%d bytes in the first record, want the %d of all answers: %v", n, 20*4, err)
	}
	if n := len(messages(b)); n != 20 {
		t.Errorf("%d messages in the record", n)
	}
}

// A packet that is kept back keeps no other back.
func TestOnePacketIsKeptBackAmongOthers(t *testing.T) {
	b := start(t)
	d := &device{bench: b, t: t, config: b.tls(b.id)}
	d.opens(said{id: deviceID})
	b.hub.Show(hub.Withhold("no-puback", mqttwire.PUBACK), 1)
	b.hub.Show(hub.Fault{Name: "late-pingresp", Late: []byte{mqttwire.PINGRESP}, LateBy: 50 * time.Millisecond}, 1)
	var all []byte
	for id := byte(1); id <= 3; id++ {
		all = append(append(all, mqttwire.Packet{Type: mqttwire.PUBLISH, Topic: topic, QoS: 1, ID: uint16(id)}.AppendTo(nil)...), 0xc0, 0)
	}
	if _, err := d.Write(all); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for range 5 {
		_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
		got = append(got, d.hearAny().Raw...)
	}
	if want := []byte{0x40, 2, 0, 2, 0xd0, 0, 0x40, 2, 0, 3, 0xd0, 0, 0xd0, 0}; !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

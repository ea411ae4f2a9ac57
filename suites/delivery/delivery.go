package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/record"
)

func firstMessage(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Provisioned(ctx))
	provisioned := b.ProvisionedAt()
	b.Step("wait for a session")
	err := b.Connected(ctx)
	if b.LossTold() {
		b.Premise(err)
	}
	b.Must(err)
	b.Step("wait for telemetry")
	from := b.ProvisionMark()
	e, err := b.AwaitMessage(ctx, from, b.Type.Timing.PublishWithin)
	if err != nil && wrongTopic(b) {
		b.LeaveTo("delivery/topic", err)
	}
	b.Must(err)
	first := e // of this session, where the one before still delivered during the load
	for _, m := range b.Since(from, func(e hub.Event) bool { return e.Telemetry() }) {
		if !m.At.Before(provisioned) {
			first = m
			break
		}
	}
	b.LookFirst("what the device waits for between its identity and its first message: a restart (commands.after_provision), its network, its clock")
	b.DecidedAt(first.At)
	took := max(0, first.At.Sub(provisioned))
	b.Measure("provisioned to first message", took.Seconds(), "s", nil, fixtures.AtMost((b.Type.Timing.ConnectWithin + b.Type.Timing.PublishWithin).Seconds()))
	b.Step("%d bytes on %s", len(e.Message.Payload), e.Message.Topic)
}

// wrongTopic reports whether a packet has been seen that delivery/topic is red
// over.
func wrongTopic(b *fixtures.Trial) bool {
	return b.Shows(hub.AllPackets) && len(b.Since(b.ProvisionMark(), func(e hub.Event) bool {
		if e.Kind != hub.KindPacket || e.Packet == nil || !e.Packet.In || e.Packet.Type != mqttwire.PUBLISH {
			return false
		}
		_, err := azure.ParsePublishTopic(b.Device.DeviceID, e.Packet.Topic)
		return err != nil
	})) > 0
}

func publishes(ctx context.Context, b *fixtures.Trial) []hub.Event {
	events, err := b.Publishes(ctx)
	b.Premise(err)
	return events
}

// arrival is a message as far as each hub shows it.
type arrival struct {
	topic string
	body  int // bytes
	at    time.Time
}

// shown are the device's messages, by their packets where the hub shows those,
// else as they arrived.
func shown(ctx context.Context, b *fixtures.Trial) (all []arrival) {
	if b.Shows(hub.AllPackets) {
		for _, e := range publishes(ctx, b) {
			all = append(all, arrival{e.Packet.Topic, e.Packet.Body(), e.At})
		}
		return all
	}
	for _, e := range messages(ctx, b, 1) {
		all = append(all, arrival{e.Message.Topic, len(e.Message.Payload), e.At})
	}
	return all
}

func topic(ctx context.Context, b *fixtures.Trial) {
	want := b.Type.MQTT.TopicFor(b.Device.DeviceID, b.HubName)
	for _, e := range shown(ctx, b) {
		f := fixtures.Finding{Expected: "topic " + want, Seen: fmt.Sprintf("topic %q", e.topic), Look: "Topic in the device's MQTT parameters: devices/{device id}/messages/events/", At: e.at}
		t, err := azure.ParsePublishTopic(b.Device.DeviceID, e.topic)
		if err != nil {
			f.Seen = fmt.Sprintf("topic %q, which IoT Hub closes the connection for: %v", e.topic, err)
			b.Fail(f)
		}
		if t.Kind == azure.KindEvents {
			b.That(strings.HasPrefix(e.topic+"/", strings.TrimSuffix(want, "/")+"/"), f)
		}
	}
}

func qos(ctx context.Context, b *fixtures.Trial) {
	for _, e := range publishes(ctx, b) {
		b.That(e.Packet.QoS <= azure.MaxQoS, fixtures.Finding{
			Expected: "QoS 0 or 1", Seen: fmt.Sprintf("a PUBLISH with QoS %d", e.Packet.QoS), At: e.At, Look: "QoS of the device's publishes: IoT Hub closes the connection for 2"})
	}
}

func retain(ctx context.Context, b *fixtures.Trial) {
	for _, e := range publishes(ctx, b) {
		b.That(!e.Packet.Retain, fixtures.Finding{
			Expected: "RETAIN off", Seen: "a PUBLISH with RETAIN set", At: e.At, Look: "the publish flags of the firmware's MQTT client: IoT Hub does not keep it and marks the message " + azure.PropertyRetain})
	}
}

func size(ctx context.Context, b *fixtures.Trial) {
	for _, e := range shown(ctx, b) {
		err := e.tooLarge(b.Device.DeviceID)
		b.That(err == nil, fixtures.Finding{
			Expected: fmt.Sprintf("at most %d bytes of body and properties", azure.MaxMessage), Seen: fmt.Sprintf("a PUBLISH with a body of %d bytes: %v", e.body, err), At: e.at,
			Look: "how much the firmware gathers into one message: IoT Hub closes the connection above 256 kB"})
	}
}

// tooLarge says why IoT Hub does not take a message of this size. A topic that
// is none of its own has no properties; delivery/topic tells of it.
func (a arrival) tooLarge(deviceID string) error {
	t, err := azure.ParsePublishTopic(deviceID, a.topic)
	if err != nil {
		return azure.CheckSize(a.body, nil, nil)
	}
	return t.CheckSize(a.body)
}

func messages(ctx context.Context, b *fixtures.Trial, n int) []hub.Event {
	got, err := b.Messages(ctx, n)
	if len(got) == 0 || len(got) < n {
		b.Premise(err)
	}
	return got
}

func authMethod(ctx context.Context, b *fixtures.Trial) {
	for _, e := range messages(ctx, b, 1) {
		// The hub lets nobody in by certificate and password at once: another
		// method than X.509 is how the rig has registered the device.
		method := e.Message.System[azure.SystemAuthMethod]
		if method == "" && !b.Shows(hub.AllPackets) {
			b.NotApplicable("this hub does not say how a message was authenticated")
		}
		if !strings.Contains(method, `"type":"x509"`) {
			b.Must(record.NewFailure(record.RigHub, "look up how messages came from", b.Device.DeviceID,
				fmt.Errorf("expected an auth method of type x509, the hub says %s", method)).
				WithCure("register the device at the hub as X.509 self-signed, with the thumbprint of its certificate"))
		}
		if !b.Shows(hub.AllPackets) && !e.Message.Enqueued.IsZero() { // by two clocks: the hub's and this machine's
			b.Measure("enqueued to read", e.At.Sub(e.Message.Enqueued).Seconds(), "s", nil, nil)
		}
		id := e.Message.System[azure.SystemConnectionDeviceID]
		b.That(id == b.Device.DeviceID, fixtures.Finding{
			Expected: "device id " + b.Device.DeviceID, Seen: "device id " + id, Look: "which device holds this identity", At: e.At})
	}
}

const timerLook = "the firmware's publish timer: does each message or reconnect set it back, does it gather messages? timing.interval of the type, if the device is right"

// interval judges messages of one session: a gap between two sessions is the
// outage's, unless the device ends its sessions itself.
func interval(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Delivers(ctx))
	const n = 5
	conn, mark := int64(0), b.Mark()
	var at []time.Time
	var first time.Time // of the session
	_, err := b.Await(ctx, mark, b.Type.Timing.PublishWithin+2*n*b.Type.Timing.Interval, fmt.Sprintf("%d messages at an interval of %s in one session", n, b.Type.Timing.Interval), func(e hub.Event) bool {
		if !e.Telemetry() || e.Message.Dup {
			return false
		}
		if conn == 0 || e.Conn != conn && !b.Type.Behaviour.Periodic() {
			conn, first, at = e.Conn, e.At, nil
		}
		if e.At.Sub(first) < b.Type.Timing.Interval/2 {
			return false // what had gathered before the session is sent at once
		}
		at = append(at, e.At)
		return len(at) >= n
	})
	if err != nil && record.ClassOf(err) == record.ClassDevice && len(at) > 0 {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("%d messages at an interval of %s in one session", n, b.Type.Timing.Interval),
			Seen:     fmt.Sprintf("%d in %.1f s", len(at), time.Since(at[0]).Seconds()),
			Look:     timerLook, At: at[len(at)-1],
		})
	}
	b.Premise(err) // no message is no interval
	b.LookFirst(timerLook)
	b.DecidedAt(at[n-1])
	mean := at[n-1].Sub(at[0]) / (n - 1)
	want := b.Type.Timing.Interval
	if b.Type.Timing.IntervalAssumed {
		want = mean // nobody said what is right: measured, not judged
	}
	worst := time.Duration(0)
	var gaps []time.Duration
	for i := 1; i < n; i++ {
		gaps = append(gaps, at[i].Sub(at[i-1]))
		worst = max(worst, (gaps[i-1] - want).Abs())
	}
	slices.Sort(gaps)
	slack := max(want/5, time.Second)
	b.Measure("jitter", worst.Seconds(), "s", nil, nil)
	if !b.Type.Timing.IntervalAssumed {
		// The mean of bursts is right, and most of their gaps are none.
		b.Measure("interval, median", gaps[len(gaps)/2].Seconds(), "s", fixtures.AtMost((want / 4).Seconds()), nil)
	}
	b.Measure("interval", mean.Seconds(), "s", fixtures.AtMost((want - slack).Seconds()), fixtures.AtMost((want + slack).Seconds()))
}

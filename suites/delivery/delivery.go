package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub"
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	return []fixtures.Spec{
		{ID: "delivery/first-message", Text: "delivers telemetry after it is provisioned", Labels: []string{"core", "smoke"}, Limit: fixtures.LimitMessages, Body: firstMessage},
		{ID: "delivery/topic", Text: "publishes to a topic that IoT Hub takes", Labels: core, Limit: fixtures.LimitMessages, Body: topic},
		{ID: "delivery/qos", Text: "publishes with QoS 0 or 1", Labels: core, Limit: fixtures.LimitMessages, Body: qos},
		{ID: "delivery/retain", Text: "publishes without RETAIN", Labels: core, Limit: fixtures.LimitMessages, Body: retain},
		{ID: "delivery/size", Text: "publishes less than 256 kB at once", Labels: core, Limit: fixtures.LimitMessages, Body: size},
		{ID: "delivery/payload", Text: "publishes what its type says", Labels: core, Limit: fixtures.LimitMessages, Body: payload},
		{ID: "delivery/interval", Text: "publishes at its interval", Limit: fixtures.LimitMessages, Body: interval},
		{ID: "delivery/no-loss", Text: "loses no message", Labels: core, Limit: fixtures.LimitMessages, Body: noLoss},
		{ID: "delivery/order", Text: "delivers in order", Limit: fixtures.LimitMessages, Body: order},
		{ID: "delivery/no-duplicates", Text: "delivers nothing twice", Limit: fixtures.LimitMessages, Body: noDuplicates},
		{ID: "delivery/auth-method", Text: "is known by its certificate at the hub", Labels: core, Limit: fixtures.LimitMessages, Body: authMethod},
		{ID: "delivery/unacknowledged", Text: "sends a message again that was not acknowledged", Needs: []fixtures.Need{fixtures.NeedFaults}, Limit: fixtures.LimitOutage, Body: unacknowledged},
		{ID: "delivery/cloud-to-device", Text: "acknowledges a message from the cloud", Needs: []fixtures.Need{fixtures.NeedDeclared}, Limit: fixtures.LimitMessages, Body: cloudToDevice(64)},
		{ID: "delivery/cloud-to-device-sizes", Text: "acknowledges messages of every size from the cloud", Needs: []fixtures.Need{fixtures.NeedDeclared, fixtures.NeedFaults}, Limit: fixtures.LimitLong, Body: cloudToDevice(deviceBoundSizes...)},
		{ID: "delivery/twin", Text: "asks for its twin and answers it", Needs: []fixtures.Need{fixtures.NeedDeclared}, Limit: fixtures.LimitMessages, Body: twin},
		{ID: "delivery/direct-method", Text: "answers direct methods", Needs: []fixtures.Need{fixtures.NeedDeclared}, Limit: fixtures.LimitMessages, Body: directMethod},
	}
}

func firstMessage(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Provisioned(ctx))
	provisioned := b.ProvisionedAt()
	b.Step("wait for a session")
	b.Must(b.Connected(ctx))
	b.Step("wait for telemetry")
	from := b.ProvisionMark()
	e, err := b.AwaitMessage(ctx, from, b.Type.Timing.PublishWithin)
	b.Must(err)
	took := max(0, e.At.Sub(provisioned))
	b.Measure("provisioned to first message", took.Seconds(), "s", nil, fixtures.AtMost((b.Type.Timing.ConnectWithin + b.Type.Timing.PublishWithin).Seconds()))
	b.Step("%d bytes on %s", len(e.Message.Payload), e.Message.Topic)
}

func publishes(ctx context.Context, b *fixtures.Bench) []localhub.Event {
	events, err := b.Publishes(ctx)
	b.Premise(err)
	return events
}

func topic(ctx context.Context, b *fixtures.Bench) {
	want := b.Type.MQTT.TopicFor(b.Device.DeviceID, b.HubName)
	for _, e := range publishes(ctx, b) {
		f := fixtures.Finding{Expected: "topic " + want, Seen: fmt.Sprintf("topic %q", e.Packet.Topic), Look: "Topic in the device's MQTT parameters"}
		t, err := azure.ParsePublishTopic(b.Device.DeviceID, e.Packet.Topic)
		if err != nil {
			f.Seen = fmt.Sprintf("topic %q, which IoT Hub closes the connection for: %v", e.Packet.Topic, err)
			b.Fail(f)
		}
		if t.Kind == azure.KindEvents {
			b.That(strings.HasPrefix(e.Packet.Topic+"/", strings.TrimSuffix(want, "/")+"/"), f)
		}
	}
}

func qos(ctx context.Context, b *fixtures.Bench) {
	for _, e := range publishes(ctx, b) {
		b.That(e.Packet.QoS <= 1, fixtures.Finding{
			Expected: "QoS 0 or 1", Seen: fmt.Sprintf("QoS %d", e.Packet.QoS), Look: "QoS of the device's publishes: IoT Hub closes the connection for 2"})
	}
}

func retain(ctx context.Context, b *fixtures.Bench) {
	for _, e := range publishes(ctx, b) {
		b.That(!e.Packet.Retain, fixtures.Finding{
			Expected: "RETAIN off", Seen: "RETAIN set", Look: "the publish flags: IoT Hub does not keep it and marks the message mqtt-retain"})
	}
}

// maxMessage is what IoT Hub takes at once (Azure: quotas).
const maxMessage = 262144

func size(ctx context.Context, b *fixtures.Bench) {
	for _, e := range publishes(ctx, b) {
		b.That(e.Packet.Size <= maxMessage, fixtures.Finding{
			Expected: fmt.Sprintf("at most %d bytes", maxMessage), Seen: fmt.Sprintf("a PUBLISH of %d bytes", e.Packet.Size), Look: "how much the firmware gathers into one message"})
	}
}

func messages(ctx context.Context, b *fixtures.Bench, n int) []localhub.Event {
	got, err := b.Messages(ctx, n)
	if len(got) == 0 || len(got) < n {
		b.Premise(err)
	}
	return got
}

func authMethod(ctx context.Context, b *fixtures.Bench) {
	for _, e := range messages(ctx, b, 1) {
		method := e.Message.System["iothub-connection-auth-method"]
		b.That(strings.Contains(method, `"type":"x509"`), fixtures.Finding{
			Expected: `auth method of type x509`, Seen: method, Look: "how the device is registered at the hub"})
		id := e.Message.System["iothub-connection-device-id"]
		b.That(id == b.Device.DeviceID, fixtures.Finding{
			Expected: "device id " + b.Device.DeviceID, Seen: id, Look: "which device holds this identity"})
	}
}

// interval judges messages of one session: a gap between two sessions is the
// outage's.
func interval(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Connected(ctx))
	const n = 5
	conn, mark := int64(0), b.Mark()
	var at []time.Time
	var first time.Time // of the session
	_, err := b.Await(ctx, mark, b.Type.Timing.PublishWithin+2*n*b.Type.Timing.Interval, fmt.Sprintf("%d messages at an interval of %s in one session", n, b.Type.Timing.Interval), func(e localhub.Event) bool {
		if e.Kind != localhub.KindMessage || e.Message.Dup {
			return false
		}
		if e.Conn != conn {
			conn, first, at = e.Conn, e.At, nil
		}
		if e.At.Sub(first) < b.Type.Timing.Interval/2 {
			return false // what had gathered before the session is sent at once
		}
		at = append(at, e.At)
		return len(at) >= n
	})
	b.Must(err)
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

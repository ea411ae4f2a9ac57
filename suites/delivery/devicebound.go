package delivery

import (
	"context"
	"fmt"
	"strings"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/record"
)

// Sizes at which lengths take another byte or buffers end (MQTT 3.1.1 section
// 2.2.3; 256dpi/esp-mqtt#19), up to IoT Hub's limit.
var deviceBoundSizes = []int{126, 127, 128, 255, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10}

func cloudToDevice(sizes ...int) func(context.Context, *fixtures.Bench) {
	return func(ctx context.Context, b *fixtures.Bench) {
		if b.Type.MQTT.ReadTopic == "" {
			b.NotApplicable("the type reads nothing (mqtt.read_topic is empty)")
		}
		b.Premise(b.Provisioned(ctx))
		b.Premise(b.Delivers(ctx))
		if err := b.Listens(ctx, azure.DeviceboundFilter(b.Device.DeviceID)); err != nil {
			b.Premise(fmt.Errorf("the device does not listen; see session/subscribe: %w", err))
		}
		defer b.Hub.Purge(b.Device.DeviceID)
		for _, size := range sizes {
			deviceBound(ctx, b, size)
		}
	}
}

// deviceBound sends one message and follows it: out of the hub, and its
// acknowledgement back.
func deviceBound(ctx context.Context, b *fixtures.Bench, size int) {
	id := fmt.Sprintf("hilrig-%d", b.Mark())
	b.Step("a message of %d bytes to the device", size)
	mark := b.Mark()
	body := min(size, azure.MaxCloudToDevice-len(id)) // its id counts too
	b.Must(b.Hub.SendToDevice(b.Device.DeviceID, hub.DeviceBound{ID: id, Payload: []byte(strings.Repeat("x", body))}))
	out, err := b.Await(ctx, mark, b.Type.Timing.PublishWithin, "the hub to deliver it", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && !e.Packet.In && e.Packet.Type == mqttwire.PUBLISH && strings.Contains(e.Packet.Topic, id)
	})
	b.Premise(err)
	if out.Packet.QoS == 0 {
		b.Step("subscribed at QoS 0: nothing is acknowledged")
		return
	}
	e, err := b.Await(ctx, out.Seq, b.Type.Timing.PublishWithin, fmt.Sprintf("PUBACK of a message of %d bytes", size), func(e hub.Event) bool {
		if e.Conn != out.Conn {
			return false
		}
		return e.Kind == hub.KindDisconnected || e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.PUBACK && e.Packet.ID == out.Packet.ID
	})
	if err != nil && record.ClassOf(err) == record.Device {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("PUBACK of a message of %d bytes within %s", size, b.Type.Timing.PublishWithin),
			Seen:     fmt.Sprintf("no PUBACK for packet id %d, and %s", out.Packet.ID, b.Summary(out.Seq).Text),
			Look:     "whether the MQTT client acknowledges what it receives at QoS 1 (subscribed so), also where the application does not know the message", At: out.At,
		})
	}
	b.Must(err)
	b.That(e.Kind != hub.KindDisconnected, fixtures.Finding{
		Expected: fmt.Sprintf("PUBACK of a message of %d bytes", size),
		Seen:     fmt.Sprintf("the connection ended over it: %s", e.Text),
		Look:     bufferLook(size), At: e.At,
	})
	b.Measure(fmt.Sprintf("acknowledged, %d bytes", size), e.At.Sub(out.At).Seconds(), "s", nil, nil)
}

// largeRecord is a message that small TLS record buffers do not hold, in bytes:
// stacks for small boards come with 2 or 4 kB in place of TLS's 16.
const largeRecord = 1 << 10

// bufferLook is where a message of this size may not fit. The hub sends it in
// records of up to 16 kB, as IoT Hub does, so that the TLS stack sees a large one
// first.
func bufferLook(size int) string {
	const lengths = "the receive buffer of the MQTT client, and how it reads lengths of two bytes and more"
	if size <= largeRecord {
		return lengths
	}
	return "the record buffer of the TLS library (16 kB; mbedtls: MBEDTLS_SSL_IN_CONTENT_LEN), before " + lengths
}

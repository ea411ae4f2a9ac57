package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/record"
)

// Sizes at which lengths take another byte or buffers end (MQTT 3.1.1 section
// 2.2.3; 256dpi/esp-mqtt#19), up to IoT Hub's limit.
var deviceBoundSizes = []int{126, 127, 128, 255, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10}

// plainSize is of a message that any device can take.
const plainSize = 64

func cloudToDevice(sizes ...int) func(context.Context, *fixtures.Trial) {
	return func(ctx context.Context, b *fixtures.Trial) {
		if b.Type.MQTT.ReadTopic == "" {
			b.NotApplicable("the type reads nothing (mqtt.read_topic is empty)")
		}
		b.Premise(b.Provisioned(ctx))
		b.Premise(b.Delivers(ctx))
		if err := b.Listens(ctx, azure.DeviceboundFilter(b.Device.DeviceID)); err != nil {
			b.Premise(fmt.Errorf("the device does not listen; see session/subscribe: %w", err))
		}
		b.Premise(acknowledges(b))
		defer b.Hub.Purge(b.Device.DeviceID)
		for _, size := range sizes {
			deviceBound(ctx, b, size)
		}
	}
}

// plainUnacknowledged is what delivery/cloud-to-device has shown of a device that
// does not take the plainest of messages.
const plainUnacknowledged = "a small message from the cloud is not acknowledged"

var errUnacknowledged = errors.New(plainUnacknowledged + "; see delivery/cloud-to-device")

// acknowledges is the premise of whoever judges more than the plainest message.
func acknowledges(b *fixtures.Trial) error {
	if b.Noted(plainUnacknowledged) {
		return record.NewFailure(record.ClassDevice, "send a message to", b.Device.DeviceID, errUnacknowledged)
	}
	return nil
}

// deviceBound sends one message and follows it: out of the hub, and its
// acknowledgement back.
func deviceBound(ctx context.Context, b *fixtures.Trial, size int) {
	id := fmt.Sprintf("hilrig-%d", b.Mark())
	b.Step("a message of %d bytes to the device", size)
	mark := b.Mark()
	body := min(size, azure.MaxCloudToDevice-len(id)) // its id counts too
	sent := time.Now()
	b.Must(b.Hub.SendToDevice(b.Device.DeviceID, hub.DeviceBound{ID: id, Payload: []byte(strings.Repeat("x", body))}))
	if !b.Shows(hub.AllPackets) {
		taken(ctx, b, id, size, sent)
		return
	}
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
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Premise(b.EndedAsBefore())
		note(b, size)
		b.Fail(unansweredBound(b, out, size))
	}
	b.Must(err)
	if e.Kind == hub.KindDisconnected {
		b.Premise(b.EndedAsBefore())
		note(b, size)
		b.Fail(endedOver(ctx, b, e, size))
	}
	b.Measure(fmt.Sprintf("acknowledged, %d bytes", size), e.At.Sub(out.At).Seconds(), "s", nil, nil)
}

// feedbackWithin is how long a hub keeps feedback back: IoT Hub gives it in
// batches, one in 15 s or 64 pieces.
const feedbackWithin = 20 * time.Second

// taken follows one message by what the hub says of it.
func taken(ctx context.Context, b *fixtures.Trial, id string, size int, sent time.Time) {
	within := b.Type.Timing.PublishWithin + feedbackWithin
	b.Step("wait for the hub to say what became of it")
	waiting, cancel := context.WithTimeoutCause(ctx, within, errUntold)
	defer cancel()
	took, why, err := b.Hub.Became(waiting, b.Device.DeviceID, id)
	if errors.Is(err, errUntold) {
		why, err = errUntold.Error(), nil
	}
	b.Must(err)
	if !took {
		b.Premise(b.EndedAsBefore())
		note(b, size)
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("a message of %d bytes taken within %s", size, within), Seen: "the hub says: " + why,
			Look: "whether the MQTT client subscribes devices/DEVICE_ID/messages/devicebound/# and acknowledges what it receives", At: sent,
		})
	}
	b.Measure(fmt.Sprintf("taken by the hub's word, %d bytes", size), time.Since(sent).Seconds(), "s", nil, nil)
}

var errUntold = errors.New("nothing of the message")

// note keeps that the plainest message failed: those behind it would show the
// same once more.
func note(b *fixtures.Trial, size int) {
	if size == plainSize {
		b.Note(plainUnacknowledged)
	}
}

// unansweredBound is a message without its PUBACK; one for another message may
// have come in its place.
func unansweredBound(b *fixtures.Trial, out hub.Event, size int) fixtures.Finding {
	f := fixtures.Finding{
		Expected: fmt.Sprintf("PUBACK of a message of %d bytes within %s", size, b.Type.Timing.PublishWithin),
		Seen:     fmt.Sprintf("no PUBACK for packet id %d, and %s", out.Packet.ID, b.Summary(out.Seq).Text),
		Look:     "whether the MQTT client acknowledges what it receives at QoS 1 (subscribed so), also where the application does not know the message", At: out.At,
	}
	others := b.Since(out.Seq, func(e hub.Event) bool {
		return e.Conn == out.Conn && e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.PUBACK
	})
	if len(others) > 0 {
		p := others[0]
		f.Seen = fmt.Sprintf("no PUBACK for packet id %d; one for packet id %d came, %s later", out.Packet.ID, p.Packet.ID, p.At.Sub(out.At).Round(time.Millisecond))
		f.Look, f.At = "where the firmware takes the packet id of its PUBACK from: that of the PUBLISH, high byte first [MQTT-2.3.1-6]", p.At
	}
	return f
}

// endedOver is a connection that ended before the PUBACK. A device that crashes
// over a message comes back with its counter begun anew: it is given the
// time, so that the finding can say so.
func endedOver(ctx context.Context, b *fixtures.Trial, end hub.Event, size int) fixtures.Finding {
	f := fixtures.Finding{
		Expected: fmt.Sprintf("PUBACK of a message of %d bytes", size),
		Seen:     fmt.Sprintf("the connection ended over it: %s", end.Text),
		Look:     bufferLook(size), At: end.At,
	}
	b.Hub.Purge(b.Device.DeviceID) // or it ends the next connection too
	if end.ByDevice {
		b.Step("the connection ended; does the device come back as it was?")
		_, _ = b.AwaitMessage(ctx, end.Seq, b.Type.Timing.ReconnectWithin) // whatever it does, the verdict stands
	}
	return f
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

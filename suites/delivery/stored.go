package delivery

import (
	"context"
	"fmt"
	"strings"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
)

// storedMessage sends to a device that is away with a session: the hub keeps
// the message and delivers it when the device is back (Azure: iot-hub-mqtt-support;
// MQTT 3.1.1 section 3.1.2.4).
func storedMessage(ctx context.Context, b *fixtures.Trial) {
	if b.Type.MQTT.ReadTopic == "" {
		b.NotApplicable("the type reads nothing (mqtt.read_topic is empty)")
	}
	b.Premise(b.Provisioned(ctx))
	live, err := b.LiveConnect(ctx)
	b.Premise(err)
	if live.Connect.Clean {
		b.NotApplicable("it asks for a clean session: the hub keeps nothing for it")
	}
	if err := b.Listens(ctx, azure.DeviceboundFilter(b.Device.DeviceID)); err != nil {
		b.Premise(fmt.Errorf("the device does not listen; see session/subscribe: %w", err))
	}
	b.Premise(acknowledges(b))
	defer b.Hub.Purge(b.Device.DeviceID)

	b.Step("the device is cut off; a message comes for it")
	id := fmt.Sprintf("hilrig-stored-%d", b.Mark())
	mark := b.Mark()
	if !b.Hub.Drop(b.Device.DeviceID) {
		b.NotRun("the session ended before it could be cut")
	}
	_, err = b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "the connection to end", func(e hub.Event) bool {
		return e.Ends(live.Conn)
	})
	b.Premise(err)
	b.Must(b.Hub.SendToDevice(b.Device.DeviceID, hub.DeviceBound{ID: id, Payload: []byte(`{"waited":true}`)}))
	b.Must(b.Hasten(ctx))
	back, err := b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin)
	b.Premise(err)
	out, err := b.Await(ctx, back.Seq, b.Type.Timing.PublishWithin, "the hub to deliver it", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && !e.Packet.In && e.Packet.Type == mqttwire.PUBLISH && strings.Contains(e.Packet.Topic, id)
	})
	b.Premise(err)
	if out.Packet.QoS == 0 {
		b.NotApplicable("it subscribes at QoS 0: nothing is kept and nothing is acknowledged")
	}
	b.Step("delivered; wait for its PUBACK")
	e, err := b.Await(ctx, out.Seq, b.Type.Timing.PublishWithin, "PUBACK of the message that waited", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.PUBACK && e.Packet.ID == out.Packet.ID && e.Conn == out.Conn
	})
	if err != nil && ctx.Err() == nil {
		b.Premise(b.EndedAsBefore())
		b.Fail(fixtures.Finding{
			Expected: "PUBACK of a message that waited at the hub while the device was away",
			Seen:     "no PUBACK on the new connection: " + err.Error(),
			Look:     "whether the MQTT client takes messages before the application has subscribed: set the handler before CONNECT",
		})
	}
	b.Must(err)
	b.Measure("acknowledged after its delivery", e.At.Sub(out.At).Seconds(), "s", nil, nil)
}

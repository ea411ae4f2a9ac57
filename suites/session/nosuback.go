package session

import (
	"context"
	"slices"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
)

// noSuback leaves a SUBSCRIBE without its answer, as a hub does that is being
// moved. MQTT sets no time and no way (a SUBSCRIBE again, or a new connection);
// AWS Device Advisor asks for one of them.
func noSuback(ctx context.Context, b *fixtures.Trial) {
	want := b.Type.MQTT.ReadTopicFor(b.Device.DeviceID, b.HubName)
	if want == "" {
		b.NotApplicable("the type reads nothing (mqtt.read_topic is empty)")
	}
	b.Premise(b.Stands(ctx))
	if err := b.Listens(ctx, want); err != nil {
		if ctx.Err() != nil {
			b.Must(err)
		}
		b.NotApplicable("it does not subscribe to its read topic; see session/subscribe")
	}
	b.Step("the hub has forgotten the session, and answers no SUBSCRIBE")
	mark := b.Mark()
	forget := b.Hub.Show(hub.Fault{Name: "session-forgotten", ForgetBefore: true}, 1)
	defer forget.Lift()
	withheld := b.Hub.Show(hub.Fault{Name: "no-suback", Withhold: []byte{mqttwire.SUBACK}, Filter: want}, 1)
	defer withheld.Lift()
	_, err := b.Provoke(ctx)
	b.Premise(err)
	_, err = b.AwaitSession(ctx, mark, b.Type.Timing.ReconnectWithin)
	b.Premise(err)
	// It may meet a session that was on its way: the SUBACK that was withheld
	// says which SUBSCRIBE has no answer.
	unanswered, err := b.Await(ctx, mark, b.Type.Timing.PublishWithin, "a SUBSCRIBE of "+want+", to be left without its answer", func(e hub.Event) bool {
		return e.Kind == hub.KindPacket && e.Packet.Withheld && e.Packet.Type == mqttwire.SUBACK
	})
	if err != nil && ctx.Err() == nil {
		b.NotApplicable("it does not subscribe to a hub that has forgotten it; see recovery/session-present")
	}
	b.Must(err)
	subscribed := func(e hub.Event) bool {
		return e.Kind == hub.KindSubscribed && slices.ContainsFunc(e.Filters, func(f mqttwire.Filter) bool { return f.Topic == want })
	}
	asked := b.Since(mark, func(e hub.Event) bool { return subscribed(e) && e.Conn == unanswered.Conn && e.Seq < unanswered.Seq })
	first := asked[len(asked)-1]
	b.Step("SUBACK withheld; wait for the same SUBSCRIBE again")
	again, err := b.Await(ctx, first.Seq+1, b.Type.Timing.ReconnectWithin, "the same SUBSCRIBE again", subscribed)
	if _, _, live := b.Session(); err != nil && ctx.Err() == nil && !live {
		b.NotRun("the device has left, and did not come back: " + err.Error() + "; see recovery/server-disconnect")
	}
	if err != nil && ctx.Err() == nil {
		b.WarnOf(fixtures.Finding{
			Expected: "the same SUBSCRIBE again, on this connection or a new one, within " + b.Type.Timing.ReconnectWithin.String(),
			Seen:     "SUBSCRIBE of " + want + " without a SUBACK, and no other: the device is deaf and does not know",
			Look:     "whether the firmware waits for SUBACK at all, and for how long", At: first.At,
		})
		_, err = b.Reconnect(ctx) // the hub has the subscription: a session like any other
	}
	b.Must(err)
	if again.Seq > 0 {
		b.Measure("until the next SUBSCRIBE", again.At.Sub(first.At).Seconds(), "s", nil, nil)
	}
}

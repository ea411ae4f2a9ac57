package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
)

// mostFilters are what IoT Hub takes on a connection (Azure: iot-hub-mqtt-support).
const mostFilters = 5

// settle is how long after a SUBSCRIBE the next may come.
const settle = 500 * time.Millisecond

// subscribe judges the sessions of the whole run: who has one that goes on need
// not subscribe again, also not with another identity.
func subscribe(ctx context.Context, b *fixtures.Trial) {
	want := b.Type.MQTT.ReadTopicFor(b.Device.DeviceID, b.HubName)
	if want == "" {
		b.NotApplicable("the type reads nothing (mqtt.read_topic is empty)")
	}
	b.Premise(b.Connected(ctx))
	b.Premise(b.Provisioned(ctx))
	isSubscribe := func(e hub.Event) bool {
		return e.Kind == hub.KindSubscribed || e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.SUBSCRIBE
	}
	if len(b.Since(0, isSubscribe)) == 0 {
		b.Premise(b.Stands(ctx)) // it may not have come that far
	}
	if _, err := b.Await(ctx, 0, b.Type.Timing.PublishWithin, "a SUBSCRIBE", isSubscribe); err != nil {
		b.Fail(fixtures.Finding{
			Expected: "a subscription of " + want, Seen: "no SUBSCRIBE at all: " + err.Error(),
			Look: "Read topic in the device's MQTT parameters; a type that reads nothing says mqtt.read_topic: \"\"",
		})
	}
	seen := b.Since(0, isSubscribe)
	b.Must(b.Rest(ctx, settle-time.Since(seen[len(seen)-1].At))) // one packet for each filter is a way, too
	perConn := map[int64][]string{}
	var all []string
	for _, e := range b.Since(0, func(e hub.Event) bool { return e.Kind == hub.KindSubscribed }) {
		for _, f := range e.Filters {
			if !slices.Contains(perConn[e.Conn], f.Topic) { // again is no more [MQTT-3.8.4-3]
				perConn[e.Conn] = append(perConn[e.Conn], f.Topic)
			}
			all = append(all, f.Topic)
		}
		b.That(len(perConn[e.Conn]) <= mostFilters, fixtures.Finding{
			Expected: fmt.Sprintf("at most %d filters on a connection", mostFilters),
			Seen:     fmt.Sprintf("%d filters: %s", len(perConn[e.Conn]), strings.Join(perConn[e.Conn], ", ")),
			Look:     "what the firmware subscribes: IoT Hub closes the connection at the sixth; `+` and `#` take several topics in one", At: e.At,
		})
	}
	if slices.Contains(all, want) {
		return
	}
	for _, f := range all {
		if covers(f, want) {
			b.WarnOf(fixtures.Finding{
				Expected: "a subscription of " + want, Seen: "one that is wider: " + f,
				Look: "Read topic in the device's MQTT parameters: IoT Hub serves the documented filter, and a wider one is granted and then ignored", At: seen[len(seen)-1].At,
			})
			return
		}
	}
	if ended := b.Since(0, hub.Event.Rejected); len(ended) > 0 {
		b.NotRun("the hub ended the connection for what the device sent, and it may not have come to this subscription: " + ended[0].Text)
	}
	b.Fail(fixtures.Finding{
		Expected: "a subscription of " + want, Seen: "subscriptions of " + strings.Join(all, ", "),
		Look: "Read topic in the device's MQTT parameters", At: seen[len(seen)-1].At,
	})
}

// covers reports whether a filter takes everything that want takes (MQTT 3.1.1
// section 4.7.1).
func covers(filter, want string) bool {
	f, w := strings.Split(filter, "/"), strings.Split(want, "/")
	for i, level := range f {
		switch {
		case level == "#":
			return true
		case i >= len(w), level != w[i] && (level != "+" || w[i] == "#"):
			return false
		}
	}
	return len(f) == len(w)
}

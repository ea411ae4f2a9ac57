package recovery

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/link"
	"hilrig/fixtures"
	"hilrig/record"
)

// slowLinkName is the fault's, and what a failure says of it.
const slowLinkName = "slow link"

// badShape is a mobile network on a bad day: 600 ms there and back, 5 kB/s,
// and every fiftieth segment lost, which costs a retransmission timeout of the
// round trip and Linux's least variance, 200 ms (RFC 6298 section 2). The first
// is lost where the session begins, so that every device meets one.
var badShape = link.Shape{
	Latency: 300 * time.Millisecond,
	Rate:    5000,
	Stalls:  link.Stalls{First: 8, Every: 50, For: 800 * time.Millisecond},
}

// slowLinkTakes is what that link takes of the time to a session, and again of
// that to a message, whoever is at its end: two round trips of TLS and one of
// MQTT, at most 8 kB both ways together, one segment lost. A device is given it
// on top of its own time, which was measured on a better link.
const slowLinkTakes = 3*600*time.Millisecond + 8*time.Second/5 + 800*time.Millisecond

// slowLink is delivery/first-message over a link that is bad and does not get
// better.
func slowLink(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	_, err := b.Messages(ctx, 1)
	b.Premise(err)
	b.Step("the link to the hub becomes bad: %s", badShape)
	mark := b.Mark()
	showing := b.Hub.Show(hub.BadLink(slowLinkName, badShape), 0)
	defer goodLink(ctx, b, showing)
	way, err := b.Provoke(ctx)
	b.Premise(err)
	over := map[int64]bool{} // connections over the bad link; events come in order
	met := func(e hub.Event) bool {
		if e.Kind == hub.KindFaultShown && e.Fault == slowLinkName {
			over[e.Conn] = true
		}
		return over[e.Conn]
	}
	accepted, err := b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "a connection over the "+slowLinkName, met)
	if err != nil && ctx.Err() == nil {
		b.Premise(fmt.Errorf("device did not come back after %s: %w", way, err))
	}
	b.Must(err)
	timing := b.Type.Timing
	session := awaitOver(ctx, b, accepted, timing.ConnectWithin, "a session", "a connection; then", met, hub.Event.Accepted)
	up := fmt.Sprintf("a session %.1f s after its connection; then", session.At.Sub(accepted.At).Seconds())
	message := awaitOver(ctx, b, session, timing.PublishWithin, "new telemetry", up, met, func(e hub.Event) bool {
		return e.Telemetry() && !e.Message.Dup
	})
	b.Measure("session over the slow link", session.At.Sub(accepted.At).Seconds(), "s", nil, nil)
	b.Measure("first message behind it", message.At.Sub(session.At).Seconds(), "s", nil, nil)
	if took := message.At.Sub(accepted.At); took > timing.ConnectWithin+timing.PublishWithin {
		b.Warn("its first message over a %s (%s) took %.1f s; its type says %s (timing.connect_within and publish_within)",
			slowLinkName, badShape, took.Seconds(), timing.ConnectWithin+timing.PublishWithin)
	}
}

// awaitOver waits for something that comes over the bad link, as long as the
// type gives it and the link itself takes. So far is what was seen before.
func awaitOver(ctx context.Context, b *fixtures.Trial, from hub.Event, within time.Duration, what, sofar string, met, is func(hub.Event) bool) hub.Event {
	within += slowLinkTakes
	e, err := b.Await(ctx, from.Seq, within, what+" over the "+slowLinkName, func(e hub.Event) bool { return met(e) && is(e) })
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("%s over a %s (%s) within %s, of which the link itself takes up to %s", what, slowLinkName, badShape, within, slowLinkTakes),
			Seen:     sofar + " " + b.Summary(from.Seq+1).Text,
			Look:     "time limits made on a desk: of the handshake, of CONNACK, of PUBACK; buffers that one slow answer fills",
		})
	}
	b.Must(err)
	return e
}

// goodLink ends what the bad one began: the session over it too.
func goodLink(ctx context.Context, b *fixtures.Trial, showing hub.Showing) {
	showing.Lift()
	b.Step("the link is as ever")
	if _, err := b.Reconnect(ctx); err != nil && ctx.Err() == nil {
		b.Step("the device is not back: %v", err)
	}
}

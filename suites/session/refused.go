package session

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/suites/backoff"
)

func will(ctx context.Context, b *fixtures.Trial) {
	c, at := connect(ctx, b)
	w := c.Will
	if w == nil {
		b.Step("no will")
		return
	}
	t, err := azure.ParsePublishTopic(b.Device.DeviceID, w.Topic)
	f := fixtures.Finding{
		Expected: fmt.Sprintf("a will to devices/%s/messages/events/", b.Device.DeviceID), Seen: fmt.Sprintf("a will to %q", w.Topic), At: at,
		Look: "the will of the device's MQTT parameters: IoT Hub delivers it as telemetry or not at all",
	}
	if err != nil {
		f.Seen += ": " + err.Error()
	}
	b.That(err == nil && t.Kind == azure.KindEvents, f)
	b.Step("a will of %d bytes to %s", w.Size, w.Topic)
}

// codes are the refusals of MQTT 3.1.1, section 3.2.2.3.
var codes = map[byte]string{
	1: "unacceptable protocol version", 2: "identifier rejected", 3: "server unavailable", 4: "bad user name or password", 5: "not authorized",
}

const (
	// linger is how long a refused connection stays open, to see what the
	// device sends on it.
	linger = time.Second
	// pipelined is how long after its CONNECT a device may have sent more
	// without knowing the answer: MQTT allows it to go ahead (section 3.1.4).
	// Over a link that is slow it is longer, by what the handshake took.
	pipelined = 200 * time.Millisecond
	// hammer is a gap that is none, as in recovery/server-disconnect.
	hammer = 200 * time.Millisecond
)

func refused(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Delivers(ctx))
	for code := byte(1); code <= 5; code++ {
		refuseOnce(ctx, b, code)
	}
}

func refuseOnce(ctx context.Context, b *fixtures.Trial, code byte) {
	b.Step("the hub refuses with %d, %s", code, codes[code])
	fault := hub.Refuse(code)
	fault.Linger = linger
	within := b.Type.Timing.ReconnectWithin
	mark := b.Mark()
	showing := b.Hub.Show(fault, 1)
	defer showing.Lift()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	refusal, err := b.Await(ctx, mark, within, "a CONNECT to refuse after "+way, func(e hub.Event) bool {
		return e.Kind == hub.KindConnect && e.Fault == fault.Name
	})
	b.Premise(err)
	end, err := b.Await(ctx, refusal.Seq, linger+within, "the end of the refused connection", func(e hub.Event) bool {
		return e.Ends(refusal.Conn)
	})
	b.Premise(err)
	f := fixtures.Finding{
		Expected: fmt.Sprintf("no session assumed after CONNACK %d, %s", code, codes[code]),
		Look:     "whether the client looks at the return code of CONNACK before it publishes or subscribes",
	}
	if e, ok := went(b, refusal, end); ok {
		f.Seen, f.At = fmt.Sprintf("%s %.2f s after the refusal", e.Packet.Name, e.At.Sub(refusal.At).Seconds()), e.At
		b.Fail(f)
	}
	next, gap := after(ctx, b, refusal, end, code)
	if code == 1 {
		if older, ok := fallsBack(ctx, b, next); ok {
			b.WarnOf(fixtures.Finding{
				Expected: "MQTT 3.1.1 again after CONNACK 1, " + codes[1],
				Seen:     fmt.Sprintf("a try in MQTT 3.1 %.2f s after the refusal: it falls back to an older protocol, which IoT Hub does not speak", gap.Seconds()),
				Look:     "the MQTT library's fallback to 3.1: set the version, so that it tries 3.1.1 alone", At: next.At,
			})
			next, gap = after(ctx, b, next, older, code)
		}
	}
	b.Measure(fmt.Sprintf("gap after CONNACK %d", code), gap.Seconds(), "s", nil, nil)
	b.KeepGaps([]time.Duration{gap}) // as the first of a row
	_, err = b.AwaitSession(ctx, next.Seq, within)
	keepsID(b, refusal, err)
	b.Must(err)
	if gap < hammer { // within many a polite backoff, once
		showing.Lift()
		row, hammers, err := backoff.AtOnce(ctx, b, fault)
		b.Premise(err)
		b.That(!hammers, fixtures.Finding{
			Expected: fmt.Sprintf("a pause of at least %s after CONNACK %d, %s", hammer, code, codes[code]),
			Seen:     fmt.Sprintf("%s: %s", row.Verdict.Grade, row.Verdict.Why),
			Look:     "the firmware's reconnect delay after a refusal: a second and more, growing from try to try", At: next.At,
		})
		_, err = b.AwaitSession(ctx, row.Tries[len(row.Tries)-1].End.Seq+1, 2*within)
		b.Must(err)
	}
	_, err = b.AwaitUseful(ctx, next.Seq) // so that its backoff starts over
	b.Premise(err)
}

// keepsID ends the spec where the device has no session because it comes with
// another client id since it was refused: what it was set up with is right.
func keepsID(b *fixtures.Trial, refusal hub.Event, missing error) {
	if missing == nil || refusal.Connect == nil {
		return
	}
	had := refusal.Connect.ClientID
	for _, e := range b.Since(refusal.Seq+1, func(e hub.Event) bool {
		return e.Kind == hub.KindConnect && e.Connect != nil && e.Connect.ClientID != had
	}) {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("client id %q again after it was refused once", had),
			Seen:     fmt.Sprintf("client id %q, and no session: the device changed it by itself after the refusal", e.Connect.ClientID),
			Look:     "what the firmware does with CONNACK 2, identifier rejected: a hub knows the device by one id alone, and may refuse it for a moment", At: e.At,
		})
	}
}

// after is the connection after a refused one, and the pause before it. A
// client may open it before the refused one is gone.
func after(ctx context.Context, b *fixtures.Trial, refusal, end hub.Event, code byte) (next hub.Event, gap time.Duration) {
	next, err := b.Await(ctx, refusal.Seq+1, b.Type.Timing.ReconnectWithin, fmt.Sprintf("a connection after CONNACK %d, %s", code, codes[code]), func(e hub.Event) bool {
		return e.Kind == hub.KindAccepted && e.Conn != refusal.Conn
	})
	b.Must(err)
	return next, max(0, next.At.Sub(end.At))
}

// fallsBack reports whether a connection is a try in an older protocol, and
// returns its end: the hub refuses that by itself.
func fallsBack(ctx context.Context, b *fixtures.Trial, next hub.Event) (end hub.Event, ok bool) {
	within := b.Type.Timing.ReconnectWithin
	e, err := b.Await(ctx, next.Seq, within, "a CONNECT, or the end of its connection", func(e hub.Event) bool {
		return e.Conn == next.Conn && (e.Kind == hub.KindConnect || e.Kind == hub.KindDisconnected)
	})
	b.Premise(err)
	if e.Kind != hub.KindConnect || e.Connect == nil || e.Connect.Level >= 4 {
		return hub.Event{}, false
	}
	end, err = b.Await(ctx, e.Seq, within, "the end of the refused connection", func(x hub.Event) bool {
		return x.Ends(next.Conn)
	})
	b.Premise(err)
	return end, true
}

// went is what the device sent on a connection that was never its session, other
// than what was on its way before it could know.
func went(b *fixtures.Trial, connect, end hub.Event) (hub.Event, bool) {
	early := pipelined
	if b.Shows(hub.Handshakes) {
		for _, e := range b.Since(0, func(e hub.Event) bool { return e.Kind == hub.KindHandshake && e.Conn == connect.Conn }) {
			early += e.Handshake.Duration
		}
	}
	for _, e := range b.Since(connect.Seq, func(e hub.Event) bool {
		return e.Conn == connect.Conn && e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type != mqttwire.DISCONNECT
	}) {
		if e.Seq < end.Seq && e.At.Sub(connect.At) > early {
			return e, true
		}
	}
	return hub.Event{}, false
}

func noConnack(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Stands(ctx))
	fault := hub.NoConnack()
	rule := backoff.RuleFor(b)
	b.Step("the hub leaves CONNECTs without an answer until the gaps between them are judged, %d at most", rule.Most)
	row, err := backoff.Follow(ctx, b, fault, rule)
	for _, t := range row.Tries {
		if e, ok := went(b, t.Connect, t.End); ok {
			b.Fail(fixtures.Finding{
				Expected: "no session assumed without a CONNACK",
				Seen:     fmt.Sprintf("%s %.2f s after a CONNECT that was not answered", e.Packet.Name, e.At.Sub(t.Connect.At).Seconds()),
				Look:     "whether the client waits for CONNACK before it publishes or subscribes", At: e.At,
			})
		}
		b.Measure("waits for CONNACK", t.End.At.Sub(t.Connect.At).Seconds(), "s", nil, nil)
	}
	b.Must(err)
	backoff.Judge(ctx, b, fault, rule, row)
}

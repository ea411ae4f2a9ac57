package session

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/mqttwire"
	"hilrig/fixtures"
	"hilrig/suites/backoff"
)

func will(ctx context.Context, b *fixtures.Bench) {
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

func refused(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Connected(ctx))
	for code := byte(1); code <= 5; code++ {
		refuseOnce(ctx, b, code)
	}
}

func refuseOnce(ctx context.Context, b *fixtures.Bench, code byte) {
	b.Step("the hub refuses with %d, %s", code, codes[code])
	fault := localhub.Refuse(code)
	fault.Linger = linger
	within := b.Type.Timing.ReconnectWithin
	mark := b.Mark()
	showing := b.Hub.Show(fault, 1)
	defer showing.Lift()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	refusal, err := b.Await(ctx, mark, within, "a CONNECT to refuse after "+way, func(e localhub.Event) bool {
		return e.Kind == localhub.KindConnect && e.Fault == fault.Name
	})
	b.Premise(err)
	end, err := b.Await(ctx, refusal.Seq, linger+within, "the end of the refused connection", func(e localhub.Event) bool {
		return e.Kind == localhub.KindDisconnected && e.Conn == refusal.Conn
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
	next, err := b.AwaitConnection(ctx, end.Seq+1, within, fmt.Sprintf("a connection after CONNACK %d, %s", code, codes[code]))
	b.Must(err)
	gap := next.At.Sub(end.At)
	b.Measure(fmt.Sprintf("gap after CONNACK %d", code), gap.Seconds(), "s", nil, nil)
	b.That(gap >= hammer, fixtures.Finding{
		Expected: fmt.Sprintf("a pause of at least %s after CONNACK %d, %s", hammer, code, codes[code]), Seen: fmt.Sprintf("the next connection after %.3f s", gap.Seconds()),
		Look: "the firmware's reconnect delay after a refusal: a second and more, growing from try to try", At: next.At,
	})
	_, err = b.AwaitSession(ctx, next.Seq, within)
	b.Must(err)
	_, err = b.AwaitUseful(ctx, next.Seq) // so that its backoff starts over
	b.Premise(err)
}

// went is what the device sent on a connection that was never its session, other
// than what was on its way before it could know.
func went(b *fixtures.Bench, connect, end localhub.Event) (localhub.Event, bool) {
	early := pipelined
	for _, e := range b.Since(0, func(e localhub.Event) bool { return e.Kind == localhub.KindHandshake && e.Conn == connect.Conn }) {
		early += e.Handshake.Duration
	}
	for _, e := range b.Since(connect.Seq, func(e localhub.Event) bool {
		return e.Conn == connect.Conn && e.Kind == localhub.KindPacket && e.Packet.In && e.Packet.Type != mqttwire.DISCONNECT
	}) {
		if e.Seq < end.Seq && e.At.Sub(connect.At) > early {
			return e, true
		}
	}
	return localhub.Event{}, false
}

func noConnack(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Connected(ctx))
	fault := localhub.NoConnack()
	const times = 3
	b.Step("the hub leaves %d CONNECTs without an answer", times)
	row, err := backoff.Fail(ctx, b, fault, times)
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
	backoff.Judge(ctx, b, fault, row)
}

package recovery

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/link"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/suites/backoff"
)

func backoffSpec(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	if b.Shows(hub.AnyFault) {
		backoff.Spec(ctx, b, hub.Refuse(3))
		return
	}
	backoff.Spec(ctx, b, hub.BadLink("connections reset", link.Shape{End: link.Reset}))
}

func takeoverBackoff(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	backoff.Spec(ctx, b, hub.DropAfterConnack(0))
}

// cuts is how often a living session is cut.
const cuts = 3

func connectionCut(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Delivers(ctx))
	longest := time.Duration(0)
	for i := range cuts {
		b.Step("TCP reset %d of %d", i+1, cuts)
		mark := cutSession(ctx, b)
		longest = max(longest, back(ctx, b, mark, hub.OutageReset, "a TCP reset"))
	}
	b.Measure("longest way back", longest.Seconds(), "s", nil, nil)
}

// cutSession resets the device's session, and returns the mark before it. One
// that ends its sessions itself may have none just now: its next one is cut.
func cutSession(ctx context.Context, b *fixtures.Trial) (mark int) {
	for range tries {
		mark = b.Mark()
		if b.Hub.Reset(b.Device.DeviceID) {
			return mark
		}
		if !b.Type.Behaviour.Periodic() {
			break
		}
		_, err := b.AwaitSession(ctx, mark, b.Type.Timing.ConnectWithin+b.Type.Timing.Interval)
		b.Premise(err)
	}
	b.NotRun("the device has no session to cut")
	return mark
}

// tries bounds how often a session is awaited that lives long enough to be cut.
const tries = 3

// back waits for the end of the session that an outage makes, a session after
// it and telemetry in that one, and returns how long the session took.
func back(ctx context.Context, b *fixtures.Trial, mark int, fault string, after string) time.Duration {
	start := time.Now()
	met := b.Since(mark, func(e hub.Event) bool { return e.Kind == hub.KindFaultShown && e.Fault == fault })
	if len(met) > 0 {
		start, mark = met[0].At, met[0].Seq
	}
	e, err := b.Await(ctx, mark, b.ReconnectWithin(ctx), "a session after "+after, hub.Event.Accepted)
	b.Must(err)
	b.Outgrown(e.At.Sub(start), start)
	_, err = b.AwaitUseful(ctx, e.Seq)
	b.Must(err)
	return e.At.Sub(start)
}

// blackHole lets nothing through any more, either way. TCP's own signs of life
// are the host's, so what is left is what the device's MQTT notices. Its
// keep-alive counts, and where it sends at QoS 1 its patience for PUBACK.
func blackHole(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Delivers(ctx))
	live, err := b.LiveConnect(ctx)
	b.Premise(err)
	k, known := b.KeepAlive(live)
	if !known {
		b.NotApplicable(fixtures.NoKeepAlive)
	}
	if k == 0 {
		b.NotApplicable("keep-alive 0: nothing tells the device that the hub is gone; see session/keep-alive")
	}
	silent := k * 3 / 2
	if silent+b.Type.Timing.ReconnectWithin > b.TimeLeft(ctx) {
		b.NotApplicable(fmt.Sprintf("a keep-alive of %s and a reconnect within %s take longer than this spec may", k, b.Type.Timing.ReconnectWithin))
	}
	b.Step("the hub falls silent: nothing gets through, the connection stays open")
	mark := b.Mark()
	if !b.Hub.Silence(b.Device.DeviceID) {
		b.NotRun("the device has no session")
	}
	start, within := time.Now(), min(b.ReconnectWithin(ctx), (b.TimeLeft(ctx)-silent).Round(10*time.Millisecond))
	e, err := b.Await(ctx, mark, silent+within, "a session after the hub fell silent", hub.Event.Accepted)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		if b.Hub.Sessions != nil {
			b.Hub.Drop(b.Device.DeviceID) // out of the hole
		}
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("a silent hub noticed within 1.5 × keep-alive (%s), and a new session within %s more", silent, within),
			Seen:     fmt.Sprintf("no new session in %.0f s", time.Since(start).Seconds()),
			Look:     "whether the client misses PINGRESP and PUBACK: a half-open connection looks well from one end", At: start,
		})
	}
	b.Must(err)
	b.Measure("silence to new session", e.At.Sub(start).Seconds(), "s", nil, nil)
	if ends := b.Since(mark, func(x hub.Event) bool { return x.Ends(live.Conn) }); len(ends) > 0 {
		b.Measure("silence noticed after", ends[0].At.Sub(start).Seconds(), "s", nil, nil)
		b.Outgrown(e.At.Sub(ends[0].At), ends[0].At)
	}
	_, err = b.AwaitUseful(ctx, e.Seq)
	b.Must(err)
}

// phases are the messages of a full handshake (RFC 5246 section 7.3) behind
// which it is cut.
var phases = []struct {
	message byte
	name    string
}{
	{1, "ClientHello"}, {2, "ServerHello"}, {11, "Certificate"}, {14, "ServerHelloDone"}, {16, "ClientKeyExchange"},
}

func cutInHandshake(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Delivers(ctx))
	for _, p := range phases {
		fault := hub.Fault{Name: "cut after " + p.name, CutAfter: p.message}
		b.Step("the hub cuts the handshake behind %s", p.name)
		mark := b.Mark()
		showing := b.Hub.Show(fault, 1)
		defer showing.Lift()
		way, err := b.Provoke(ctx)
		b.Premise(err)
		cut, err := b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "a handshake to cut after "+way, func(e hub.Event) bool {
			return e.Kind == hub.KindHandshake && e.Fault == fault.Name
		})
		b.Premise(err)
		within := b.ReconnectWithin(ctx)
		e, err := b.AwaitSession(ctx, cut.Seq, within)
		if err != nil && record.ClassOf(err) == record.ClassDevice {
			b.Fail(fixtures.Finding{
				Expected: fmt.Sprintf("a session within %s of a handshake that was cut behind %s", within, p.name),
				Seen:     b.Summary(cut.Seq + 1).Text, At: cut.At,
				Look: "what the TLS stack gives back when a handshake ends early: memory, sockets, its state machine",
			})
		}
		b.Must(err)
		b.Measure("back after a cut behind "+p.name, e.At.Sub(cut.At).Seconds(), "s", nil, nil)
		b.Outgrown(e.At.Sub(cut.At), cut.At)
		_, err = b.AwaitUseful(ctx, e.Seq) // so that its backoff starts over
		b.Must(err)
	}
}

// restartFor is how long the hub's port is closed in hub-restart: ten seconds,
// less for a device whose own reconnects are told to be quick, but long enough
// for a first try to meet the closed port.
func restartFor(reconnectWithin time.Duration) time.Duration {
	return min(10*time.Second, max(3*time.Second, reconnectWithin/5))
}

func hubRestart(ctx context.Context, b *fixtures.Trial) {
	outage(ctx, b, restartFor(b.Type.Timing.ReconnectWithin))
}

func longOutage(ctx context.Context, b *fixtures.Trial) { outage(ctx, b, b.Type.Timing.Soak) }

// outage takes the hub away for d and measures the way back and what was lost.
// A gap that has grown during the outage may still have to pass.
func outage(ctx context.Context, b *fixtures.Trial, d time.Duration) {
	b.Premise(b.Connected(ctx))
	before, err := b.Messages(ctx, 1)
	b.Premise(err)
	b.Step("the hub goes away for %s: its port is closed", d)
	mark := b.Mark()
	b.Hub.Down()
	rested := b.Rest(ctx, d)
	backAt, from := time.Now(), b.Mark() // before: a device may be there before Up has returned
	up, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	b.Must(b.Hub.Up(up)) // the next spec needs it, also where this one was interrupted
	b.Must(rested)
	b.Step("the hub is back")
	within := b.ReconnectWithin(ctx)
	e, err := b.Await(ctx, from, within, "a session after the hub was back", hub.Event.Accepted)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("a session within %s of the hub being back: it was away for %s", within, d),
			Seen:     b.Summary(from).Text, At: backAt,
			Look: "the firmware's reconnect: does a refused connection end it, does its delay grow without a ceiling?",
		})
	}
	b.Must(err)
	b.Measure("way back", e.At.Sub(backAt).Seconds(), "s", nil, nil)
	b.Outgrown(e.At.Sub(backAt), backAt)
	first, err := b.AwaitUseful(ctx, e.Seq)
	b.Must(err)
	lost(b, before, mark, first)
}

// lost measures the messages that an outage cost, by the payload's counter.
// What a device may forget while nobody listens is its maker's choice: it is a
// number here, no verdict.
func lost(b *fixtures.Trial, before []hub.Event, mark int, first hub.Event) {
	last := before[len(before)-1]
	for _, e := range b.Since(last.Seq, func(e hub.Event) bool { return e.Telemetry() && e.Seq < mark }) {
		last = e
	}
	from, ok1 := b.Counter(last)
	to, ok2 := b.Counter(first)
	if !ok1 || !ok2 {
		b.Step("no counter in the payload: what was lost cannot be counted")
		return
	}
	b.Measure("messages lost", float64(max(0, to-from-1)), "", nil, nil)
}

// powerCycle measures from power-on to the first message. A device is in time
// when it needs no longer than its connect_within and publish_within.
func powerCycle(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	_, err := b.Messages(ctx, 1)
	b.Premise(err)
	mark := b.Mark()
	way, on, err := b.PowerCycle(ctx)
	b.Must(err)
	b.Step("%s", way)
	limit := b.Type.Timing.ConnectWithin + b.Type.Timing.PublishWithin
	e, err := b.Await(ctx, mark, time.Until(on.Add(limit)), "telemetry after a "+way, func(e hub.Event) bool {
		return e.Telemetry() && e.At.After(on)
	})
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("telemetry within %s of power-on (timing.connect_within and publish_within)", limit),
			Seen:     "none: " + b.Summary(mark).Text, At: on,
			Look: "what the firmware waits for before it connects: network, clock, a self-test of its flash",
		})
	}
	b.Must(err)
	b.LookFirst("what the firmware waits for before it connects: network, clock, a self-test of its flash")
	b.Measure("power-on to first message", e.At.Sub(on).Seconds(), "s", nil, fixtures.AtMost(limit.Seconds()))
}

package session

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/mqttwire"
	"hilrig/fixtures"
	"hilrig/record"
)

// longestHere is the most that a keep-alive may be for specs that wait for a
// few of them; longer ones are watched by soak/steady.
const longestHere = time.Minute

// slackOf is what timers and the wire may add to a keep-alive before it counts
// as exceeded: a tenth, and at least half a second. The hub itself waits for
// half a keep-alive more.
func slackOf(keepAlive time.Duration) time.Duration { return max(keepAlive/10, 500*time.Millisecond) }

// alive is a living session whose keep-alive can be judged here.
type alive struct {
	conn      int64
	keepAlive time.Duration
	within    time.Duration // the keep-alive and its slack
	from      int           // hub event of its CONNECT
	at        time.Time
}

func judgeable(ctx context.Context, b *fixtures.Trial) alive {
	if b.Type.Behaviour.Periodic() {
		b.NotApplicable("it ends its sessions itself (behaviour.session: periodic): no ping need be due in one")
	}
	b.Premise(b.Provisioned(ctx))
	e, err := b.LiveConnect(ctx)
	b.Premise(err)
	k, known := b.KeepAlive(e)
	switch {
	case !known:
		b.NotApplicable(fixtures.NoKeepAlive)
	case k == 0:
		b.NotApplicable("keep-alive 0: the device owes no pings; see session/keep-alive")
	case k > longestHere:
		b.NotApplicable(fmt.Sprintf("a keep-alive of %s is too long to wait for here; soak/steady watches it", k))
	}
	return alive{conn: e.Conn, keepAlive: k, within: k + slackOf(k), from: e.Seq, at: e.At}
}

// silence stops the telemetry where it can; the returned function lets it go
// on.
func silence(ctx context.Context, b *fixtures.Trial) (quiet bool, resume func()) {
	quiet, err := b.PauseTelemetry(ctx)
	b.Must(err)
	return quiet, func() {
		if quiet {
			if err := b.ResumeTelemetry(ctx); err != nil {
				b.Warn("telemetry not resumed: %v", err)
			}
		}
	}
}

// ofDevice is what the device sends on a connection, or the end of it.
func (a alive) ofDevice(e hub.Event) bool {
	return e.Conn == a.conn && (e.Kind == hub.KindDisconnected || e.Kind == hub.KindPacket && e.Packet.In)
}

func (a alive) isPing(e hub.Event) bool {
	return e.Conn == a.conn && e.Kind == hub.KindPacket && e.Packet.In && e.Packet.Type == mqttwire.PINGREQ
}

func pings(ctx context.Context, b *fixtures.Trial) {
	a := judgeable(ctx, b)
	last := a.sofar(b)
	quiet, resume := silence(ctx, b)
	defer resume()
	if interval := b.Type.Timing.Interval; !quiet && interval < a.keepAlive {
		b.NotApplicable(fmt.Sprintf("it publishes every %s, more often than its keep-alive of %s, and its type has no commands.pause_telemetry", interval, a.keepAlive))
	}
	phase := "idle"
	if !quiet {
		phase = "publishing every " + b.Type.Timing.Interval.String()
	}
	b.Step("keep-alive %s: %s", a.keepAlive, phase)
	last = a.watch(ctx, b, phase, last)
	if len(b.Since(a.from, func(e hub.Event) bool { return e.Conn == a.conn && e.Kind == hub.KindSubscribed })) == 0 {
		b.Step("not subscribed to anything: it cannot be made to receive")
		return
	}
	b.Step("receiving messages that it need not answer")
	defer a.push(ctx, b)()
	a.watch(ctx, b, "receiving", last)
}

// sofar judges the session up to now, in which the device published, and
// returns its last packet.
func (a alive) sofar(b *fixtures.Trial) (last hub.Event) {
	last = hub.Event{At: a.at, Seq: a.from}
	for _, e := range b.Since(a.from+1, a.ofDevice) {
		b.That(e.At.Sub(last.At) <= a.within, a.broken("publishing", last, fmt.Sprintf("nothing for %.2f s", e.At.Sub(last.At).Seconds())))
		last = e
	}
	return last
}

// watch follows the session for two keep-alives, in which something must come
// within each.
func (a alive) watch(ctx context.Context, b *fixtures.Trial, phase string, last hub.Event) hub.Event {
	end := time.Now().Add(2 * a.keepAlive)
	longest := time.Duration(0)
	for {
		until := last.At.Add(a.within)
		whole := until.After(end)
		if whole {
			until = end
		}
		e, err := b.Await(ctx, last.Seq+1, time.Until(until), "a packet", a.ofDevice)
		switch {
		case err == nil:
			longest = max(longest, e.At.Sub(last.At))
			f := a.broken(phase, last, fmt.Sprintf("nothing for %.2f s, then: %s", e.At.Sub(last.At).Seconds(), e.Text))
			b.That(e.At.Sub(last.At) <= a.within, f)
			if e.Kind == hub.KindDisconnected {
				b.NotRun("the session ended while it was watched: " + e.Text)
			}
			last = e
		case record.ClassOf(err) != record.ClassDevice:
			b.Must(err)
		case whole:
			b.Measure("longest silence, "+phase, max(longest, time.Since(last.At)).Seconds(), "s", nil, nil)
			return last
		default:
			b.Fail(a.broken(phase, last, fmt.Sprintf("nothing for %.2f s", time.Since(last.At).Seconds())))
		}
		if e.At.After(end) {
			b.Measure("longest silence, "+phase, longest.Seconds(), "s", nil, nil)
			return last
		}
	}
}

func (a alive) broken(phase string, last hub.Event, seen string) fixtures.Finding {
	after := "its CONNECT"
	if last.Packet != nil {
		after = last.Packet.Name
	}
	return fixtures.Finding{
		Expected: fmt.Sprintf("a packet of the device within every keep-alive of %s while %s", a.keepAlive, phase),
		Seen:     seen + " after " + after,
		At:       time.Now(),
		Look:     "the client's ping timer: is it started, and is it set back by what comes in? Only what is sent counts [MQTT-3.1.2-23]",
	}
}

// push sends the device messages at QoS 0, four in a keep-alive, until stopped.
func (a alive) push(ctx context.Context, b *fixtures.Trial) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(a.keepAlive / 4)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = b.Hub.Push(b.Device.DeviceID, []byte("hilrig")) // one that is not sent makes the watch no stricter
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// firstPing waits for the first PINGREQ whose answer a fault shown since the
// mark has met. A device that sends something else all the time has no need to
// ping.
func (a alive) firstPing(ctx context.Context, b *fixtures.Trial, mark int, fault string) hub.Event {
	shown, err := b.Await(ctx, mark, 2*a.within, "a PINGREQ", func(e hub.Event) bool {
		return e.Kind == hub.KindFaultShown && e.Fault == fault && e.Conn == a.conn
	})
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		others := len(b.Since(mark, func(e hub.Event) bool { return a.ofDevice(e) && e.Kind == hub.KindPacket }))
		if others > 0 {
			b.NotApplicable(fmt.Sprintf("it sends so often that it never pings: %d other packets in %s; its type has no commands.pause_telemetry", others, 2*a.within))
		}
		b.NotRun(fmt.Sprintf("the device sent no PINGREQ in %s, see session/pings", 2*a.within))
	}
	b.Must(err)
	pings := b.Since(0, func(e hub.Event) bool { return a.isPing(e) && e.Seq < shown.Seq })
	return pings[len(pings)-1] // the hub answers nothing else with PINGRESP
}

func pingUnanswered(ctx context.Context, b *fixtures.Trial) {
	a := judgeable(ctx, b)
	if !b.Shows(hub.AllPackets) || !b.Shows(hub.AnyFault) {
		a.unheard(ctx, b)
		return
	}
	_, resume := silence(ctx, b)
	defer resume()
	b.Step("the hub answers no PINGREQ")
	mark := b.Mark()
	showing := b.Hub.Show(hub.Withhold("no-pingresp", mqttwire.PINGRESP), 0)
	defer showing.Lift()
	ping := a.firstPing(ctx, b, mark, "no-pingresp")
	limit := a.keepAlive * 3 / 2
	slack := slackOf(a.keepAlive)
	f := fixtures.Finding{
		Expected: fmt.Sprintf("the connection given up within %s of a PINGREQ without an answer", limit),
		Look:     "whether the client misses a PINGRESP, or only looks at what it sends: a hub that is gone is never noticed",
	}
	end, err := b.Await(ctx, ping.Seq, time.Until(ping.At.Add(limit+slack)), "the end of the connection", func(e hub.Event) bool {
		return e.Conn == a.conn && e.Kind == hub.KindDisconnected
	})
	showing.Lift()
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		f.At = ping.At
		f.Seen = fmt.Sprintf("it still open after %.1f s, %d pings without an answer", time.Since(ping.At).Seconds(), showing.Count())
		b.Hub.Drop(b.Device.DeviceID) // back to a session whose pings are answered
		b.Fail(f)
	}
	b.Must(err)
	took := end.At.Sub(ping.At)
	f.At = end.At
	f.Seen = fmt.Sprintf("it open until the hub ended it after %.1f s: %s", took.Seconds(), end.Text)
	b.That(end.ByDevice, f)
	b.Measure("given up after", took.Seconds(), "s", nil, nil)
	f.Seen = fmt.Sprintf("it given up after %.1f s", took.Seconds())
	b.That(took <= limit+slack, f)
	b.Step("wait for it to come back")
	_, err = b.AwaitSession(ctx, end.Seq, b.Type.Timing.ReconnectWithin)
	b.Must(err)
}

// unheard is ping-unanswered at a hub that cannot keep an answer back: nothing
// gets through any more. A ping is due within a keep-alive, and its answer is
// missed within one and a half more.
func (a alive) unheard(ctx context.Context, b *fixtures.Trial) {
	b.Step("nothing gets through any more, the connection stays open")
	if !b.Hub.Silence(b.Device.DeviceID) {
		b.NotRun("the device has no session")
	}
	at, limit := time.Now(), a.within+a.keepAlive*3/2+slackOf(a.keepAlive)
	end, err := b.Await(ctx, a.from, limit, "the end of the connection", func(e hub.Event) bool { return e.Ends(a.conn) })
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Hub.Drop(b.Device.DeviceID) // out of the hole
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("the connection given up within %s on a link that has fallen silent: a ping within the keep-alive of %s, and its answer missed within 1.5 × that", limit, a.keepAlive),
			Seen:     fmt.Sprintf("it still open after %.1f s", time.Since(at).Seconds()),
			Look:     "whether the client misses a PINGRESP, or only looks at what it sends: a hub that is gone is never noticed", At: at,
		})
	}
	b.Must(err)
	b.Measure("given up after", end.At.Sub(at).Seconds(), "s", nil, nil)
	b.Step("wait for it to come back")
	_, err = b.AwaitSession(ctx, end.Seq, b.Type.Timing.ReconnectWithin)
	b.Must(err)
}

func latePingresp(ctx context.Context, b *fixtures.Trial) {
	a := judgeable(ctx, b)
	_, resume := silence(ctx, b)
	defer resume()
	late := a.keepAlive * 8 / 10
	const times = 2
	b.Step("the hub answers PINGREQ after %s, %d times", late, times)
	mark := b.Mark()
	showing := b.Hub.Show(hub.Fault{Name: "late-pingresp", Late: []byte{mqttwire.PINGRESP}, LateBy: late}, times)
	defer showing.Lift()
	ping := a.firstPing(ctx, b, mark, "late-pingresp")
	for i := range times {
		e, err := b.Await(ctx, ping.Seq+1, late+2*a.within, "the late PINGRESP, or the end", func(e hub.Event) bool {
			return e.Conn == a.conn && (e.Kind == hub.KindDisconnected ||
				e.Kind == hub.KindPacket && !e.Packet.In && !e.Packet.Withheld && e.Packet.Type == mqttwire.PINGRESP)
		})
		b.Premise(err)
		if a.hadItsTime(ping, e) {
			b.Step("it waited %.2f s for an answer that was later than meant: as long as is right", e.At.Sub(ping.At).Seconds())
			_, err := b.AwaitSession(ctx, e.Seq, b.Type.Timing.ReconnectWithin)
			b.Must(err)
			return
		}
		b.That(e.Kind != hub.KindDisconnected, fixtures.Finding{
			Expected: fmt.Sprintf("the session kept: the answer to a PINGREQ comes %s later, within the keep-alive of %s", late, a.keepAlive),
			Seen:     fmt.Sprintf("the connection ended %.2f s after a PINGREQ: %s", e.At.Sub(ping.At).Seconds(), e.Text),
			Look:     "how long the client waits for PINGRESP: a whole keep-alive is right, less is made for a desk", At: e.At,
		})
		if i+1 == times {
			break
		}
		ping, err = b.Await(ctx, e.Seq, a.within, "the next PINGREQ", a.isPing)
		b.Premise(err)
	}
	b.Step("the session lives on")
	e, err := b.Await(ctx, b.Mark(), a.within, "a packet after the late answers", a.ofDevice)
	b.Must(err)
	b.That(e.Kind == hub.KindPacket, fixtures.Finding{
		Expected: "the session kept after a late PINGRESP", Seen: "its end: " + e.Text, Look: "how the client treats an answer to a ping that it has given up", At: e.At,
	})
}

// hadItsTime reports whether the device ended its session when an answer was
// missing for a whole keep-alive: a busy host can be late with one.
func (a alive) hadItsTime(ping, end hub.Event) bool {
	return end.Kind == hub.KindDisconnected && end.ByDevice && end.At.Sub(ping.At) >= a.keepAlive
}

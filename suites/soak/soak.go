package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"hilrig/azure/hub"
	"hilrig/fixtures"
	"hilrig/record"
)

func steady(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	_, err := b.Messages(ctx, 1)
	b.Premise(err)
	d := b.Type.Timing.Soak
	b.Step("watching for %s", d)
	l := follow(b)
	defer l.stop()
	b.Must(b.Rest(ctx, d))
	l.judge(b)
	least := int(d / (3 * b.Type.Timing.Interval))
	b.That(l.messages >= least, fixtures.Finding{
		Expected: fmt.Sprintf("at least %d messages in %s at an interval of %s", least, d, b.Type.Timing.Interval),
		Seen:     fmt.Sprintf("%d messages", l.messages), At: l.arrived,
		Look: "the timeline behind the last message: did the session end, did the device's log go on?",
	})
	if t, ok := slowing.Of(l.arrivals); ok {
		b.Measure("interval at first", t.Early.Seconds(), "s", nil, nil)
		b.Measure("interval at last", t.Late.Seconds(), "s", nil, nil)
		b.That(!slowing.Slower(t), slower("interval between messages", t, len(l.arrivals)))
	}
}

// judge ends the tally: nothing lost, nothing broken.
func (l *tally) judge(b *fixtures.Trial) {
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	b.Measure("messages", float64(l.messages), "", nil, nil)
	b.Measure("sessions begun", float64(l.sessions), "", nil, nil)
	b.Measure("messages lost between sessions", float64(l.lost), "", nil, nil)
	if b.Shows(hub.AllPackets) {
		b.Measure("longest silence in a session", l.longest.Seconds(), "s", nil, nil)
	}
	b.Measure("memory of the hub, grown by", (float64(heapInUse())-float64(l.heap))/(1<<20), "MiB", nil, nil)
	for why, n := range l.ends {
		b.Step("sessions ended %d times: %s", n, why)
	}
	b.That(len(l.missing) == 0, fixtures.Finding{
		Expected: "no message lost within a session", Seen: "missing: number " + strings.Join(l.missing, ", "), At: l.gapAt,
		Look: "the firmware's send queue: how long is it, what does it drop when it is full, does it keep a message until its PUBACK?",
	})
	b.That(len(l.silences) == 0, fixtures.Finding{
		Expected: "a packet within every keep-alive", Seen: "silences of " + strings.Join(l.silences, ", "), At: l.silentAt, Look: "the client's ping timer [MQTT-3.1.2-23]",
	})
	b.That(len(l.violations) == 0, fixtures.Finding{
		Expected: "no packet that breaks MQTT 3.1.1", Seen: strings.Join(l.violations, "; "), At: l.violatedAt,
		Look: "the statements by number in the OASIS standard, appendix B; session/conformance names the packets",
	})
}

func slower(what string, t Trend, n int) fixtures.Finding {
	return fixtures.Finding{
		Expected: fmt.Sprintf("the %s of the last third of %d no longer than that of the first", what, n),
		Seen:     fmt.Sprintf("it grown from %.2f s to %.2f s (medians): longer with each", t.Early.Seconds(), t.Late.Seconds()),
		Look:     "what a connection leaves behind in the firmware: memory, sockets, timers; free heap per connect tells",
	}
}

// reconnects cuts a hundred times; where that takes longer than the type's
// soak, as often as there is time, and at least a dozen times.
func reconnects(ctx context.Context, b *fixtures.Trial) {
	const hundred, dozen = 100, 12
	b.Premise(b.Connected(ctx))
	_, err := b.Messages(ctx, 1)
	b.Premise(err)
	l := follow(b)
	defer l.stop()
	end := time.Now().Add(b.Type.Timing.Soak)
	var times []time.Duration
	for i := 0; i < hundred && (i < dozen || time.Now().Before(end)); i++ {
		if i%10 == 0 {
			b.Step("cut %d", i+1)
		}
		times = append(times, cut(ctx, b, fmt.Sprintf("cut %d", i+1), 0, func() bool { return b.Hub.Drop(b.Device.DeviceID) }))
	}
	b.Measure("cuts", float64(len(times)), "", nil, nil)
	judgeTrend(b, times)
	l.judge(b)
}

func judgeTrend(b *fixtures.Trial, times []time.Duration) {
	t, ok := slowing.Of(times)
	if !ok {
		return
	}
	b.Measure("time to reconnect at first", t.Early.Seconds(), "s", nil, nil)
	b.Measure("time to reconnect at last", t.Late.Seconds(), "s", nil, nil)
	b.That(!slowing.Slower(t), slower("time to reconnect", t, len(times)))
}

// cut does something to the living session and waits for the next one and a
// message in it; more is what noticing it may take.
func cut(ctx context.Context, b *fixtures.Trial, what string, more time.Duration, do func() bool) time.Duration {
	mark, start := b.Mark(), time.Now()
	if !do() {
		b.NotRun("the device has no session to cut")
	}
	within := more + b.Type.Timing.ReconnectWithin
	e, err := b.AwaitSession(ctx, mark, within)
	if err != nil && record.ClassOf(err) == record.ClassDevice {
		b.Fail(fixtures.Finding{
			Expected: fmt.Sprintf("a session within %s of %s", within, what), Seen: b.Summary(mark).Text, At: start,
			Look: "the device's log from this moment on: does it still try, and what does it wait for?",
		})
	}
	b.Must(err)
	_, err = b.AwaitUseful(ctx, e.Seq)
	b.Must(err)
	return e.At.Sub(start)
}

// kinds of cuts at random; silence is left out where a keep-alive takes minutes.
const (
	dropped = iota
	reset
	silent
	kinds
)

// intermittent cuts at random for as long as the type's soak. The seed is in
// the record: the row of cuts is the same with the same seed.
func intermittent(ctx context.Context, b *fixtures.Trial) {
	b.Premise(b.Connected(ctx))
	live, err := b.LiveConnect(ctx)
	b.Premise(err)
	seed := rand.Uint64()
	b.Step("cuts at random for %s, seed %d", b.Type.Timing.Soak, seed)
	r := rand.New(rand.NewPCG(seed, 0))
	l := follow(b)
	defer l.stop()
	k := time.Duration(0)
	if b.Shows(hub.AllPackets) {
		k = live.Connect.KeepAlive
	}
	id, end := b.Device.DeviceID, time.Now().Add(b.Type.Timing.Soak)
	var times []time.Duration
	cuts := 0
	for cuts == 0 || time.Now().Before(end) {
		b.Must(b.Rest(ctx, time.Duration(r.Int64N(int64(b.Type.Timing.Soak/10)))))
		cuts++
		what := fmt.Sprintf("cut %d", cuts)
		switch kind := r.IntN(kinds); {
		case kind == reset:
			times = append(times, cut(ctx, b, what+", a TCP reset", 0, func() bool { return b.Hub.Reset(id) }))
		case kind == silent && k > 0 && k <= time.Minute:
			cut(ctx, b, what+", silence", k*3/2, func() bool { return b.Hub.Silence(id) })
		default:
			times = append(times, cut(ctx, b, what, 0, func() bool { return b.Hub.Drop(id) }))
		}
	}
	b.Measure("cuts", float64(cuts), "", nil, nil)
	judgeTrend(b, times)
	l.judge(b)
}

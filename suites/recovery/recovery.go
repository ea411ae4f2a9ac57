package recovery

import (
	"context"
	"fmt"
	"time"

	"hilrig/azure/localhub"
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	faults := []fixtures.Need{fixtures.NeedFaults}
	return []fixtures.Spec{
		{ID: "recovery/server-disconnect", Text: "comes back by itself, and not at once, when the hub drops it after CONNACK", Labels: []string{"core"},
			Needs: []fixtures.Need{fixtures.NeedFaults}, Limit: fixtures.LimitRefusal, Body: serverDisconnect},
		{ID: "recovery/backoff", Text: "waits longer from refusal to refusal, with jitter", Needs: faults, Limit: fixtures.LimitRetries, Body: backoffSpec},
		{ID: "recovery/takeover-backoff", Text: "waits longer each time it is dropped after CONNACK, with jitter", Needs: faults, Limit: fixtures.LimitRetries, Body: takeoverBackoff},
		{ID: "recovery/connection-cut", Text: "comes back each time its connection is reset", Needs: faults, Limit: fixtures.LimitOutage, Body: connectionCut},
		{ID: "recovery/black-hole", Text: "notices a hub that has fallen silent, and comes back", Needs: faults, Limit: fixtures.LimitOutage, Body: blackHole},
		{ID: "recovery/cut-in-handshake", Text: "comes back when its handshake is cut, in every phase", Needs: faults, Limit: fixtures.LimitOutage, Body: cutInHandshake},
		{ID: "recovery/session-present", Text: "subscribes again when the hub has forgotten its session", Needs: faults, Limit: fixtures.LimitOutage, Body: sessionPresent},
		{ID: "recovery/hub-restart", Text: "comes back when the hub was away for seconds", Needs: faults, Limit: fixtures.LimitOutage, Body: hubRestart},
		{ID: "recovery/slow-link", Text: "delivers over a link that is slow, far away and stalls", Needs: faults, Limit: fixtures.LimitOutage, Body: slowLink},
		{ID: "recovery/power-cycle", Text: "delivers in time after power-on", Needs: []fixtures.Need{fixtures.NeedPower}, Limit: fixtures.LimitOutage, Body: powerCycle},
		{ID: "recovery/replugged", Text: "has its console back when its cable was pulled and put back", Limit: fixtures.LimitOutage, Body: replugged},
		{ID: "recovery/long-outage", Text: "comes back when the hub was away for long", Labels: []string{"soak"}, Needs: faults, Limit: fixtures.LimitSoak, Body: longOutage},
	}
}

// How soon a device may come back after it was dropped (AWS Device Advisor
// asks for one second; under a fifth nobody waits at all).
const (
	politeGap = time.Second
	stormGap  = 200 * time.Millisecond
)

func serverDisconnect(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Provisioned(ctx))
	b.Must(b.Connected(ctx))
	b.Step("the hub drops the next session right after CONNACK")
	mark := b.Mark()
	showing := b.Hub.Show(localhub.DropAfterConnack(0), 1)
	defer showing.Lift()
	way, err := b.Provoke(ctx)
	b.Premise(err)
	dropped, err := b.Await(ctx, mark, b.Type.Timing.ReconnectWithin, "the device to come back after "+way, func(e localhub.Event) bool {
		return e.Kind == localhub.KindDisconnected && e.Fault != ""
	})
	b.Must(err)
	b.Step("wait for it to come back by itself")
	next, err := b.AwaitConnection(ctx, dropped.Seq+1, b.Type.Timing.ReconnectWithin, "a connection after the drop")
	b.Must(err)
	gap := next.At.Sub(dropped.At)
	b.Measure("gap after drop", gap.Seconds(), "s", nil, nil)
	f := fixtures.Finding{
		Expected: fmt.Sprintf("a pause of at least %s before the next connection", politeGap),
		Seen:     fmt.Sprintf("the next connection after %.3f s", gap.Seconds()), At: next.At,
		Look: "the firmware's reconnect delay: it must also hold for a session that ends right after CONNACK",
	}
	b.That(gap >= stormGap, f)
	_, err = b.AwaitSession(ctx, dropped.Seq+1, b.Type.Timing.ReconnectWithin)
	b.Must(err)
	if gap < politeGap {
		b.WarnOf(f)
	}
}

package recovery

import (
	"context"

	"hilrig/fixtures"
	"hilrig/suites/backoff"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	faults := []fixtures.Need{fixtures.NeedFaults}
	return []fixtures.Spec{
		{ID: "recovery/server-disconnect", Text: "comes back by itself, and not at once, when the hub drops it after CONNACK", Labels: []string{"core"},
			Needs: faults, Limit: fixtures.LimitRetries, Body: serverDisconnect},
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

func serverDisconnect(ctx context.Context, b *fixtures.Bench) {
	b.Premise(b.Provisioned(ctx))
	b.Must(b.Connected(ctx)) // not run where another spec has told
	b.Step("the hub drops the next session right after CONNACK; the device is to come back by itself")
	backoff.Dropped(ctx, b)
}

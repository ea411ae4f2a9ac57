package recovery

import (
	"time"

	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	soak := []string{"soak"}
	return []fixtures.Spec{
		{
			ID: "recovery/server-disconnect", Labels: core,
			Text:   "comes back by itself, and not at once, when the hub drops it after CONNACK",
			Why:    "a fleet that does not come back, or comes back all at once",
			Source: "DA",
			Needs:  fixtures.Needs{"D"},
			Limit:  fixtures.LimitRetries, Cost: fixtures.Cost{Fixed: time.Second, Connects: 2},
			Measures: []string{"gap after drop"},
			Body:     serverDisconnect,
		},
		{
			ID:     "recovery/backoff",
			Text:   "waits longer from refusal to refusal, with jitter",
			Why:    "a fleet that hammers a hub which is busy keeps it busy",
			Source: "DA",
			Needs:  fixtures.Needs{"A", "W", "N|F"},
			Limit:  fixtures.LimitRetries, Cost: fixtures.Cost{Fixed: 5 * time.Second, Connects: 6},
			Measures: []string{"gap #"},
			Body:     backoffSpec,
		},
		{
			ID:     "recovery/takeover-backoff",
			Text:   "waits longer each time it is dropped after CONNACK, with jitter",
			Why:    "two devices with one id, or a hub that drops: thousands of connects an hour on a paid line",
			Source: "field",
			Needs:  fixtures.Needs{"A", "W", "D"},
			Limit:  fixtures.LimitRetries, Cost: fixtures.Cost{Fixed: 5 * time.Second, Connects: 6},
			Measures: []string{"gap #"},
			Body:     takeoverBackoff,
		},
		{
			ID:     "recovery/connection-cut",
			Text:   "comes back each time its connection is reset",
			Why:    "every router forgets connections",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Fixed: 3 * time.Second, Connects: 3},
			Measures: []string{"longest way back"},
			Body:     connectionCut,
		},
		{
			ID:     "recovery/black-hole",
			Text:   "notices a hub that has fallen silent, and comes back",
			Why:    "a link that dies without a word: data goes nowhere until somebody drives there",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Fixed: 2 * time.Second, Connects: 1},
			Measures: []string{"silence to new session", "silence noticed after"},
			Body:     blackHole,
		},
		{
			ID:     "recovery/cut-in-handshake",
			Text:   "comes back when its handshake is cut, in every phase",
			Why:    "what a broken handshake leaves behind adds up until nothing connects",
			Source: "field",
			Needs:  fixtures.Needs{"A", "W", "N"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Fixed: 5 * time.Second, Connects: 10},
			Measures: []string{
				"back after a cut behind ClientHello",
				"back after a cut behind ServerHello",
				"back after a cut behind Certificate",
				"back after a cut behind ServerHelloDone",
				"back after a cut behind ClientKeyExchange",
			},
			Body: cutInHandshake,
		},
		{
			ID:     "recovery/session-present",
			Text:   "subscribes again when the hub has forgotten its session",
			Why:    "a hub that was moved has no sessions, and the fleet is deaf without a new SUBSCRIBE",
			Source: "DA",
			Needs:  fixtures.Needs{"K", "L"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1},
			Body: sessionPresent,
		},
		{
			ID:     "recovery/hub-restart",
			Text:   "comes back when the hub was away for seconds",
			Why:    "hubs are updated under running fleets",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Fixed: 2 * time.Second, Connects: 1},
			Measures: []string{"way back", "messages lost"},
			Body:     hubRestart,
		},
		{
			ID:     "recovery/slow-link",
			Text:   "delivers over a link that is slow, far away and stalls",
			Why:    "time limits made on a desk silence every device behind a bad mobile link",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Fixed: 2 * time.Second, Connects: 2},
			Measures: []string{"session over the slow link", "first message behind it"},
			Body:     slowLink,
		},
		{
			ID:     "recovery/power-cycle",
			Text:   "delivers in time after power-on",
			Why:    "after a power cut a whole site starts at once, unattended",
			Source: "field",
			Needs:  fixtures.Needs{"P", "A"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1},
			Measures: []string{"power-on to first message"},
			Body:     powerCycle,
		},
		{
			ID:     "recovery/replugged",
			Text:   "has its console back when its cable was pulled and put back",
			Why:    "cables are pulled at every bench; a console that needs a power cycle after that stops the line",
			Source: "field",
			Limit:  fixtures.LimitOutage, Cost: fixtures.Free(),
			Measures: []string{"plugged in to answer"},
			Body:     replugged,
		},
		{
			ID: "recovery/long-outage", Labels: soak,
			Text:   "comes back when the hub was away for long",
			Why:    "after an hour without a network the device must still be there",
			Source: "DA field",
			Needs:  fixtures.Needs{"A", "N"},
			Limit:  fixtures.LimitSoak, Cost: fixtures.Cost{Connects: 1, Soaks: 1},
			Measures: []string{"way back", "messages lost"},
			Body:     longOutage,
		},
	}
}

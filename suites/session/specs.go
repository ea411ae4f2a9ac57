package session

import (
	"time"

	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	return []fixtures.Spec{
		{
			ID: "session/protocol", Labels: core,
			Text:   "speaks MQTT 3.1.1",
			Why:    "IoT Hub answers 1, or nothing, to anything but 3.1.1",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: protocol,
		},
		{
			ID: "session/client-id", Labels: core,
			Text:   "connects with its device id as client id",
			Why:    "two devices with one id throw each other out in a loop",
			Source: "G A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: clientID,
		},
		{
			ID: "session/user-name", Labels: core,
			Text:   "connects with a user name that IoT Hub takes",
			Why:    "a user name without its api-version: unexpected behaviour, says Microsoft",
			Source: "G A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: userName,
		},
		{
			ID: "session/no-password", Labels: core,
			Text:   "sends no password beside its certificate",
			Why:    "a password makes the hub look for a token and forget the certificate",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: noPassword,
		},
		{
			ID: "session/keep-alive", Labels: core,
			Text:   "asks for a keep-alive that IoT Hub can keep",
			Why:    "a dead connection that nobody notices",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Measures: []string{"keep-alive"},
			Body:     keepAlive,
		},
		{
			ID: "session/no-self-takeover", Labels: core,
			Text:   "never connects over its own living session",
			Why:    "connects and throws itself out, for ever, on a paid line",
			Source: "field",
			Needs:  fixtures.Needs{"A", "K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Cost{Fixed: 2 * time.Second},
			Measures: []string{"self-takeovers"},
			Body:     noSelfTakeover,
		},
		{
			ID:     "session/pings",
			Text:   "sends something within every keep-alive",
			Why:    "silence for longer than a keep-alive and a half: the hub drops the connection",
			Source: "M 3.1.2.10",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitPings, Cost: fixtures.Cost{Fixed: 4 * time.Second},
			Measures: []string{"longest silence, idle", "longest silence, publishing every *", "longest silence, receiving"},
			Body:     pings,
		},
		{
			ID:     "session/ping-unanswered",
			Text:   "gives up a connection on which its ping is not answered, and comes back",
			Why:    "a hub that is gone is never noticed, and data goes nowhere for hours",
			Source: "DA",
			Needs:  fixtures.Needs{"K|N", "L|N", "D"},
			Limit:  fixtures.LimitPings, Cost: fixtures.Cost{Fixed: 2 * time.Second, Connects: 1},
			Measures: []string{"given up after"},
			Body:     pingUnanswered,
		},
		{
			ID:     "session/late-pingresp",
			Text:   "waits for the answer to its ping",
			Why:    "a slow link becomes a loop of reconnects",
			Source: "field",
			Needs:  fixtures.Needs{"K", "L"},
			Limit:  fixtures.LimitPings, Cost: fixtures.Cost{Fixed: 2 * time.Second},
			Body: latePingresp,
		},
		{
			ID:     "session/will",
			Text:   "has a will that IoT Hub delivers, or none",
			Why:    "a will that the hub does not take: the connection is refused, or the will is lost",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: will,
		},
		{
			ID:     "session/subscribe",
			Text:   "subscribes to its read topic, with five filters at most",
			Why:    "a device that does not listen cannot be told anything, and the sixth filter costs the connection",
			Source: "G A",
			Needs:  fixtures.Needs{"C", "K"},
			Limit:  fixtures.LimitConnect, Cost: fixtures.Free(),
			Body: subscribe,
		},
		{
			ID:     "session/no-suback",
			Text:   "notices that its SUBSCRIBE was not answered",
			Why:    "a device that is deaf and does not know it cannot be told anything, and reports nothing wrong",
			Source: "DA",
			Needs:  fixtures.Needs{"C", "K", "L"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 2},
			Measures: []string{"until the next SUBSCRIBE"},
			Body:     noSuback,
		},
		{
			ID:     "session/refused",
			Text:   "takes a refusal for one, and comes back",
			Why:    "a hub that is busy for a minute silences a fleet for good",
			Source: "A",
			Needs:  fixtures.Needs{"A", "W", "K", "L"},
			Limit:  fixtures.LimitRetries, Cost: fixtures.Cost{Fixed: 5 * time.Second, Connects: 10},
			Measures: []string{"gap after CONNACK #"},
			Body:     refused,
		},
		{
			ID:     "session/no-connack",
			Text:   "assumes no session without CONNACK, and tries again politely",
			Why:    "data sent into a session that is none is lost",
			Source: "DA",
			Needs:  fixtures.Needs{"A", "W", "K", "L"},
			Limit:  fixtures.LimitRetries, Cost: fixtures.Cost{Fixed: 5 * time.Second, Connects: 5},
			Measures: []string{"waits for CONNACK", "gap #"},
			Body:     noConnack,
		},
	}
}

// Closing are the area's specs that judge the whole run, and so come last.
func Closing() []fixtures.Spec {
	core := []string{"core"}
	return []fixtures.Spec{
		{
			ID: "session/conformance", Labels: core,
			Text:   "breaks no normative statement of MQTT 3.1.1",
			Why:    "what one broker forgives, the next closes the connection for",
			Source: "M",
			Needs:  fixtures.Needs{"A", "K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Cost{Messages: 5},
			Measures: []string{"packets judged", "violations"},
			Body:     conformance,
		},
	}
}

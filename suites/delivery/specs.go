package delivery

import (
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	smoke := []string{"core", "smoke"}
	return []fixtures.Spec{
		{
			ID: "delivery/first-message", Labels: smoke,
			Text:   "delivers telemetry after it is provisioned",
			Why:    "the whole point",
			Source: "G",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"provisioned to first message"},
			Body:     firstMessage,
		},
		{
			ID: "delivery/topic", Labels: core,
			Text:   "publishes to a topic that IoT Hub takes",
			Why:    "any other topic: the hub closes the connection, in a loop",
			Source: "G A",
			Needs:  fixtures.Needs{"A|K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: topic,
		},
		{
			ID: "delivery/qos", Labels: core,
			Text:   "publishes with QoS 0 or 1",
			Why:    "QoS 2: the hub closes the connection",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: qos,
		},
		{
			ID: "delivery/retain", Labels: core,
			Text:   "publishes without RETAIN",
			Why:    "not kept, marked in every message",
			Source: "A",
			Needs:  fixtures.Needs{"K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: retain,
		},
		{
			ID: "delivery/size", Labels: core,
			Text:   "publishes less than 256 kB at once",
			Why:    "over 256 kB: the hub closes the connection",
			Source: "A",
			Needs:  fixtures.Needs{"A|K"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: size,
		},
		{
			ID: "delivery/payload", Labels: core,
			Text:   "publishes what its type says",
			Why:    "bytes that nobody can read are lost data",
			Source: "field",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"payload size", "payload *"},
			Body:     payload,
		},
		{
			ID:     "delivery/interval",
			Text:   "publishes at its interval",
			Why:    "too often costs quota, too seldom costs data",
			Source: "field",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Cost{Messages: 5},
			Measures: []string{"jitter", "interval, median", "interval"},
			Body:     interval,
		},
		{
			ID: "delivery/no-loss", Labels: core,
			Text:   "loses no message",
			Why:    "lost data",
			Source: "field",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"messages judged", "time for them"},
			Body:     noLoss,
		},
		{
			ID:     "delivery/order",
			Text:   "delivers in order",
			Why:    "values that jump back in time",
			Source: "M 4.6",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: order,
		},
		{
			ID: "delivery/auth-method", Labels: core,
			Text:   "is known by its certificate at the hub",
			Why:    "a device that came in by another door than its certificate",
			Source: "A",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body:     authMethod,
			Measures: []string{"enqueued to read"},
		},
		{
			ID:     "delivery/unacknowledged",
			Text:   "sends a message again that was not acknowledged",
			Why:    "what was on its way when the link died is lost, though QoS 1 was paid for",
			Source: "M 4.4 DA",
			Needs:  fixtures.Needs{"A", "K", "L", "D"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1, Messages: 1},
			Measures: []string{"sent again after"},
			Body:     unacknowledged,
		},
		{
			ID:     "delivery/cloud-to-device",
			Text:   "acknowledges a message from the cloud",
			Why:    "a message that is not acknowledged is sent again until it is dropped",
			Source: "A",
			Needs:  fixtures.Needs{"C", "A", "K|B", "S"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"acknowledged, # bytes", "taken by the hub's word, # bytes"},
			Body:     cloudToDevice(64),
		},
		{
			ID:     "delivery/stored-message",
			Text:   "takes a message that waited for it at the hub",
			Why:    "what was sent to a device while its link was down was sent for a reason",
			Source: "A DA",
			Needs:  fixtures.Needs{"C", "K", "D", "S"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1},
			Measures: []string{"acknowledged after its delivery"},
			Body:     storedMessage,
		},
		{
			ID:     "delivery/cloud-to-device-sizes",
			Text:   "acknowledges messages of every size from the cloud",
			Why:    "one byte more in a length, and the device is off for as long as the message waits",
			Source: "field",
			Needs:  fixtures.Needs{"C", "A", "K|B", "S"},
			Limit:  fixtures.LimitLong, Cost: fixtures.Free(),
			Measures: []string{"acknowledged, # bytes", "taken by the hub's word, # bytes"},
			Body:     cloudToDevice(deviceBoundSizes...),
		},
		{
			ID:     "delivery/twin",
			Text:   "asks for its twin and answers it",
			Why:    "desired properties that nobody fetches are settings that never arrive",
			Source: "A",
			Needs:  fixtures.Needs{"C", "S"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"desired to reported"},
			Body:     twin,
		},
		{
			ID:     "delivery/direct-method",
			Text:   "answers direct methods",
			Why:    "whoever calls waits for an answer, and takes a device without one for dead",
			Source: "A",
			Needs:  fixtures.Needs{"C", "S"},
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Measures: []string{"answered, method *"},
			Body:     directMethod,
		},
	}
}

// Closing are the area's specs that judge the whole run, and come at its end.
func Closing() []fixtures.Spec {
	return []fixtures.Spec{
		{
			ID:     "delivery/no-duplicates",
			Text:   "delivers nothing twice",
			Why:    "values counted twice",
			Source: "M 4.3",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitOutage, Cost: fixtures.Free(),
			Measures: []string{"changes of session judged"},
			Body:     noDuplicates,
		},
	}
}

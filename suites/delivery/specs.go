package delivery

import (
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	core := []string{"core"}
	smoke := []string{"core", "smoke"}
	faults := []fixtures.Need{fixtures.NeedFaults}
	declared := []fixtures.Need{fixtures.NeedDeclared}
	declaredFaults := []fixtures.Need{fixtures.NeedDeclared, fixtures.NeedFaults}
	return []fixtures.Spec{
		{
			ID: "delivery/first-message", Labels: smoke,
			Text:   "delivers telemetry after it is provisioned",
			Why:    "the whole point",
			Source: "G",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: firstMessage,
		},
		{
			ID: "delivery/topic", Labels: core,
			Text:   "publishes to a topic that IoT Hub takes",
			Why:    "any other topic: the hub closes the connection, in a loop",
			Source: "G A",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: topic,
		},
		{
			ID: "delivery/qos", Labels: core,
			Text:   "publishes with QoS 0 or 1",
			Why:    "QoS 2: the hub closes the connection",
			Source: "A",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: qos,
		},
		{
			ID: "delivery/retain", Labels: core,
			Text:   "publishes without RETAIN",
			Why:    "not kept, marked in every message",
			Source: "A",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: retain,
		},
		{
			ID: "delivery/size", Labels: core,
			Text:   "publishes less than 256 kB at once",
			Why:    "over 256 kB: the hub closes the connection",
			Source: "A",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: size,
		},
		{
			ID: "delivery/payload", Labels: core,
			Text:   "publishes what its type says",
			Why:    "bytes that nobody can read are lost data",
			Source: "field",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: payload,
		},
		{
			ID:     "delivery/interval",
			Text:   "publishes at its interval",
			Why:    "too often costs quota, too seldom costs data",
			Source: "field",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Cost{Messages: 5},
			Body: interval,
		},
		{
			ID: "delivery/no-loss", Labels: core,
			Text:   "loses no message",
			Why:    "lost data",
			Source: "field",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: noLoss,
		},
		{
			ID:     "delivery/order",
			Text:   "delivers in order",
			Why:    "values that jump back in time",
			Source: "M 4.6",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: order,
		},
		{
			ID:     "delivery/no-duplicates",
			Text:   "delivers nothing twice",
			Why:    "values counted twice",
			Source: "M 4.3",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: noDuplicates,
		},
		{
			ID: "delivery/auth-method", Labels: core,
			Text:   "is known by its certificate at the hub",
			Why:    "a device that came in by another door than its certificate",
			Source: "A",
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: authMethod,
		},
		{
			ID:     "delivery/unacknowledged",
			Text:   "sends a message again that was not acknowledged",
			Why:    "what was on its way when the link died is lost, though QoS 1 was paid for",
			Source: "M 4.4 DA",
			Needs:  faults,
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1, Messages: 1},
			Body: unacknowledged,
		},
		{
			ID:     "delivery/cloud-to-device",
			Text:   "acknowledges a message from the cloud",
			Why:    "a message that is not acknowledged is sent again until it is dropped",
			Source: "A",
			Needs:  declared,
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: cloudToDevice(64),
		},
		{
			ID:     "delivery/stored-message",
			Text:   "takes a message that waited for it at the hub",
			Why:    "what was sent to a device while its link was down was sent for a reason",
			Source: "A DA",
			Needs:  declaredFaults,
			Limit:  fixtures.LimitOutage, Cost: fixtures.Cost{Connects: 1},
			Body: storedMessage,
		},
		{
			ID:     "delivery/cloud-to-device-sizes",
			Text:   "acknowledges messages of every size from the cloud",
			Why:    "one byte more in a length, and the device is off for as long as the message waits",
			Source: "field",
			Needs:  declaredFaults,
			Limit:  fixtures.LimitLong, Cost: fixtures.Free(),
			Body: cloudToDevice(deviceBoundSizes...),
		},
		{
			ID:     "delivery/twin",
			Text:   "asks for its twin and answers it",
			Why:    "desired properties that nobody fetches are settings that never arrive",
			Source: "A",
			Needs:  declared,
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: twin,
		},
		{
			ID:     "delivery/direct-method",
			Text:   "answers direct methods",
			Why:    "whoever calls waits for an answer, and takes a device without one for dead",
			Source: "A",
			Needs:  declared,
			Limit:  fixtures.LimitMessages, Cost: fixtures.Free(),
			Body: directMethod,
		},
	}
}

// Package events reads telemetry from the Event Hubs-compatible endpoint of an
// IoT Hub, or from an Event Hub that a route leads to.
//
// It reads every partition from now on: the position of each is known before
// [Open] returns, so whatever arrives later is read, and each message once and
// in the order of its device. It comes back by itself and goes on where it was.
// As long as it is away that is a gap of the record, in which the absence of a
// message says nothing.
//
// Where a run has several devices one [Relay] reads for all of them, and each
// device's process joins it.
//
// It shows no QoS and no topic: the endpoint has none.
package events

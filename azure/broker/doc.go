// Package broker is a hub that is any MQTT broker over TLS. An observer
// subscribes to the device's telemetry and keeps what arrives: in MQTT 5 where
// the broker has it, in 3.1.1 where not.
//
// It promises that the record says since when the observer listens and what it
// could miss, that a retained message of before never counts as an arrival, and
// that the root which the device gets was checked against the chain that the
// broker presents. What it has registered at the broker it removes, also what a
// process before it left behind.
//
// It sees neither handshakes nor packets: who published a message MQTT does not
// say, beyond the topic.
package broker

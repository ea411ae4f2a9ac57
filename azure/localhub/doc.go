// Package localhub is an embedded broker that a device cannot tell from an
// Azure IoT Hub for what it does: it takes TLS 1.2 with a client certificate,
// judges CONNECT, PUBLISH and SUBSCRIBE by the hub's rules, keeps twins and
// cloud-to-device messages, calls direct methods, records everything, and shows
// a fault when asked.
//
// It promises that what a device did is in the record before the device is
// answered: failed handshakes with their ClientHello and alert, every packet
// of both directions, every refusal with its reason; that no password is ever
// recorded; and that a thousand silent connections harm nobody.
//
// It is one endpoint: a fault shown here reaches no other hub. It does not
// know specs or devices' types, nor how certificates are made.
package localhub

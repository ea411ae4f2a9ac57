// Package emulator is a device made of software: the manufacturer's guide's
// terminal on a pseudo-terminal with real UART timing, storage, and an MQTT
// client over TLS 1.2 that uses what was loaded. It runs as a process of its
// own, so that its power can be cut in any state.
//
// It promises to be sound firmware: it checks what it is given before it says
// OK, keeps the old identity until the new one is whole, verifies its hub,
// loses no message, notices a dead hub, and reconnects politely. A named fault
// makes it deviate in one thing, and stands for a defect of real products.
//
// It shares no code with the console or the hub, and does not know that it is
// being tested: it is the other side of the wire, and a mistake must not cancel
// itself out.
package emulator

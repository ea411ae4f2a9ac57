// Package soak judges what only time shows: hours of telemetry, a hundred cuts,
// cuts at random. How long is the device type's business (timing.soak).
package soak

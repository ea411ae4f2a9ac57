// Package backoff judges how a device waits between two tries to connect: the
// thresholds as data, the classifier of a row of gaps, and the way to get such a
// row from a device.
//
// The classifier knows nothing of benches and hubs: gaps in, a grade and its
// reason out.
package backoff

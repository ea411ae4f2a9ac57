// Package registry is a client of an IoT Hub's device registry, twins and
// direct methods over REST, api-version 2021-04-12: one request a call, but for
// what a retry needs.
//
// It promises that a change goes to the version that was read, and to no other:
// what changes a device takes it as it was read, with its ETag. What this client
// does not know of a device is sent back as it came. An answer that was lost is
// asked for again, and never takes a device for another's. Requests that are
// throttled wait as long as the hub says, where ctx leaves the time.
//
// Errors are a [record.Failure] with a cure. They wrap an [Error], whose class
// [errors.Is] tells, or one of the causes of azure/iothub/access on the way
// there. No key or token is in any of them, nor in the log.
package registry

// Package runner is a run: which devices and specs, one child process for each
// device, all of it bounded, merged into one record.
//
// It promises that a record says what happened whatever becomes of a child: a
// child that crashes, hangs, is killed or talks nonsense costs its own device
// the specs that were left, with the cause, and nothing else. The record is on
// disk before a device is touched and is replaced whole after every spec. An
// interrupt ends every child softly, a second one at once; a supervisor that
// is gone lets its children see the end of their input, and they end by
// themselves within [lifelineGrace].
//
// It does not know what a spec does, how a record is rendered, or how progress
// looks: it hands every event to an observer.
package runner

// Package record holds the words everyone shares: verdicts, classes of
// failure, measurements, events and the record of a run.
//
// It promises that a record is complete on disk or not there at all, that a
// verdict is derived in one place only, and that an error carries whose fault
// it is from where it happened ([Failure]).
//
// It does not know how a spec is run, what a device is attached to, or how a
// report looks. It imports nothing of ours.
package record

package runner

import "hilrig/record"

// The exit codes of every verb.
const (
	ExitPass        = 0
	ExitDevice      = 1   // a device failed
	ExitUsage       = 2   // usage or configuration, before a device is touched
	ExitRig         = 3   // rig or harness, time over, no full verdict
	ExitInterrupted = 130 // SIGINT or SIGTERM
)

// ExitCode is what a run's record is worth: when several hold, 130, then 1,
// then 3.
func ExitCode(r *record.Record) int {
	switch {
	case r.Run.Interrupted:
		return ExitInterrupted
	case r.Run.Verdict == record.Fail:
		return ExitDevice
	case !r.Run.Verdict.Green() || r.Run.TimedOut, r.Run.Verdict == record.NotApplicable: // nothing was proved
		return ExitRig
	}
	return ExitPass
}

// ExitOf is what an error is worth that ended a verb before there was a
// record.
func ExitOf(err error) int {
	switch record.ClassOf(err) {
	case "":
		return ExitPass
	case record.Usage:
		return ExitUsage
	case record.ClassDevice:
		return ExitDevice
	}
	return ExitRig
}

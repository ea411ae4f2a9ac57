// Package wording says a record in sentences: what was asked, what became of
// it, and whether that is a verdict on the firmware.
//
// It promises that every report and the terminal say the same, and that no
// sentence says more than the record proves: a firmware has passed only where
// at least the whole default selection passed on hardware and somebody named
// the firmware.
//
// It does not know how a report looks. It imports only the record.
package wording

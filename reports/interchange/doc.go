// Package interchange writes a record in the forms that other tools read: CTRF,
// Allure's results, Prometheus' text for a textfile collector, annotations of a
// GitHub job, and Markdown for a job's summary.
//
// It promises that whatever is red in the record is red in every form: what the
// rig kept from a verdict, what did not run, a device that has no verdict as a
// whole and a run that did not come to its end are cases of their own.
//
// It does not know how a run came about: the record, and the evidence files
// beside it, are all it reads.
package interchange

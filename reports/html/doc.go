// Package html writes a record as report.html: one file that opens from a mail
// attachment, without a network, by keyboard, on paper and in the dark.
//
// It promises that the verdict stands in the first sentence, that nothing is
// hidden that was not green, and that each failure is shown with what was
// expected, what was seen, what to look at first and the two-sided timeline
// around it.
//
// It reads the record, and of the run folder devices/<name>/timeline.jsonl.
//
// It writes history.html, too, of what the history of a host says, in the same
// looks and with the same keys.
package html

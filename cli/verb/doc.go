// Package verb is what every verb of hilrig stands on: the streams that it
// writes to, its log, the catalogue, the signals that end it, its exit code,
// and how it says what is wrong with what was typed.
//
// It promises that an interrupt ends a verb, and a second one the process within
// three seconds; that nobody who does not read holds a verb up that lasts; that a
// verb whose words found no room on standard output does not end as one that
// passed; that a panic ends with exit code 3 and says so in the record of a run
// under way; and that a flag or an argument that is missing, empty or unknown is
// a usage error with its cure.
//
// It knows no verb.
package verb

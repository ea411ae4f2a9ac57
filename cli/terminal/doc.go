// Package terminal is the streams that a verb writes to, as whoever reads them
// needs them: a person at a terminal, a log, a job, a program.
//
// It promises that nothing from outside steers a terminal or gives an order to a
// job: styles are ours alone, and are there only where they are wanted; and that
// behind an outlet a reader who is slow, stops or goes away holds nobody up and is
// told what it did not get.
//
// It does not know what is written: no verb, no run, no device. Of the record it
// knows the verdicts and their colours.
package terminal

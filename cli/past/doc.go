// Package past asks the history of this host for verbs, and tells it of runs.
//
// It promises a bound on every question, and that a history which cannot be asked
// or told keeps no run from being run, and no report from being made.
//
// It does not know how an answer is shown.
package past

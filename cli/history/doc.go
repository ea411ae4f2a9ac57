// Package history is the verb history: what all runs of this host have found,
// asked in words, as JSON and as one page, and corrected by the run folders.
//
// It promises that no run that the history knows is lost by a rebuild, and that
// what was told of a run when it ended is not replaced by what was edited since.
//
// It does not know how runs are kept: reports/history does.
package history

// Package history keeps what the runs of a host have found, over all of them,
// in an SQLite database. A folder of a run is the truth; the history is what
// can be asked of a million results at once, and the trace of a run whose
// folder is gone.
package history

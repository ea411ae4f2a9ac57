// Package requirements reads a list of requirements with the specs that show
// them, and says of a record which of them it has shown.
//
// It promises that a list is understood whole or refused, with the line; that a
// requirement passes only where every spec that shows it passed on every device
// of the run; and that what no spec shows, and what a run has not asked, is said.
//
// It knows no catalogue: it is given one.
package requirements

// Package view is a run as a person sees it: a line for each spec that ends,
// moving lines at a terminal with the time that is left, and the summary last.
//
// It promises that one cause is told once; that the moving lines never hold a run
// up; and that the last line of a summary is the path of the best report.
//
// It does not know verbs and flags, where runs are kept, or how a run is made: it
// is given the plan, then events, then the record.
package view

// Package compare says what changed between two runs: per spec and board what
// is newly red, newly green or newly not run, what is still red, and which
// measurements moved beyond their spread.
//
// It promises that what makes the two hard to compare (another firmware, board,
// hub, catalogue or selection) is said first, and that nothing which had a
// verdict disappears unsaid.
//
// It knows records only, not how they came about or where they are.
package compare

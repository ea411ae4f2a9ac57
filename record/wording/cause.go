package wording

import (
	"regexp"
	"strings"
)

// figures are what differs between two tellings of one cause: numbers with
// what belongs to them, as ports, seconds and thumbprints.
var figures = regexp.MustCompile(`\b[0-9A-F]{40,64}\b|\b[0-9a-f]{40,64}\b|[0-9]+([.:,][0-9]+)*`)

// SameCause reports whether two causes are one that was told twice: they
// differ in nothing but their numbers. Whoever gathers results that did not
// run by their cause asks it, or [CauseKey].
func SameCause(a, b string) bool { return CauseKey(a) == CauseKey(b) }

// CauseKey is a cause without its numbers and its line ends; the same for
// causes that are one.
func CauseKey(cause string) string {
	return figures.ReplaceAllString(strings.Join(strings.Fields(cause), " "), "#")
}

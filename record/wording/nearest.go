package wording

import "strings"

// longest bounds what is compared: beyond it nobody mistyped a name.
const longest = 80

// Nearest is the known name that got was most likely meant to be: the only one
// that it begins, or the one with the fewest slips of the finger (a letter too
// many, too few, another one, two in the wrong order), of which there may be
// one for each three letters. Empty: none is near.
func Nearest(got string, known []string) string {
	if got == "" || len(got) > longest {
		return ""
	}
	typed := strings.ToLower(got)
	best, at, begun := "", slips(typed)+1, ""
	for _, k := range known {
		name := strings.ToLower(k)
		if d := distance(typed, name); d < at && d < len(name) {
			best, at = k, d
		}
		if len(typed) > 2 && strings.HasPrefix(name, typed) {
			if begun != "" {
				begun = "?" // it begins several
				continue
			}
			begun = k
		}
	}
	if best == "" && begun != "?" {
		return begun
	}
	return best
}

// slips that a name of these letters may have.
func slips(name string) int { return max(1, len(name)/3) }

// DidYouMean is a question after the nearest known name; empty where none is
// near.
func DidYouMean(got string, known []string) string {
	if near := Nearest(got, known); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// distance counts the slips from a to b (optimal string alignment).
func distance(a, b string) int {
	if len(b) > longest {
		return longest
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j-1]+cost, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

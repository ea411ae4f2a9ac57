package suites_test

import (
	"strings"
	"testing"

	"hilrig/suites"
)

// A row of the catalogue is whole, in its area's own table, and its id is its
// own.
func TestEveryRowIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range suites.All() {
		if lacks := s.Lacks(); len(lacks) > 0 {
			t.Errorf("%s has no %s", s.ID, strings.Join(lacks, ", no "))
		}
		if seen[s.ID] {
			t.Errorf("%s is there twice", s.ID)
		}
		seen[s.ID] = true
	}
}

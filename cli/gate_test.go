package cli

import (
	"path/filepath"
	"testing"

	"hilrig/suites"
)

// The policies that come along are read by the catalogue of this binary.
func TestThePoliciesThatComeAlongAreSound(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "policies", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	a := &app{catalogue: suites.All()}
	for _, name := range files {
		if _, err := a.readPolicy(name); err != nil {
			t.Error(err)
		}
	}
}

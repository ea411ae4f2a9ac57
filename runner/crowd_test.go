package runner

import (
	"slices"
	"testing"
)

func TestCrowdedChildrenHaveOneThreadEach(t *testing.T) {
	for name, tc := range map[string]struct {
		env     []string
		crowded bool
		want    []string
	}{
		"a processor each":     {[]string{"A=1"}, false, []string{"A=1"}},
		"crowded":              {[]string{"A=1"}, true, []string{"A=1", "GOMAXPROCS=1"}},
		"crowded, set already": {[]string{"GOMAXPROCS=3", "A=1"}, true, []string{"GOMAXPROCS=3", "A=1"}},
		"nothing of its own":   {[]string{}, true, []string{"GOMAXPROCS=1"}},
	} {
		if got := oneThread(tc.env, tc.crowded); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	t.Setenv("GOMAXPROCS", "2")
	if got := oneThread(nil, true); !slices.Contains(got, "GOMAXPROCS=2") || slices.Contains(got, "GOMAXPROCS=1") {
		t.Errorf("this process's own: %q", got)
	}
}

package runner

import (
	"slices"
	"testing"

	"hilrig/fixtures/rigfile"
)

// A device's process has no connection string that only the run's reader needs.
func TestTheReadersVariableStaysWithTheRun(t *testing.T) {
	env := []string{"A=1", "READ=secret", "READER=2", "BOTH=secret"}
	for name, c := range map[string]struct {
		registry, events string
		want             []string
	}{
		"its own":          {"BOTH", "READ", []string{"A=1", "READER=2", "BOTH=secret"}},
		"the registry's":   {"BOTH", "BOTH", env},
		"a file's or none": {"BOTH", "", env},
		"no registry":      {"", "READ", []string{"A=1", "READER=2", "BOTH=secret"}},
	} {
		h := rigfile.Hub{Events: &rigfile.Events{Source: rigfile.Source{ConnectionStringEnv: c.events}}}
		if c.registry != "" {
			h.Registry = &rigfile.Registry{Source: rigfile.Source{ConnectionStringEnv: c.registry}}
		}
		if got := withoutEvents(env, h); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

package runner

import (
	"slices"
	"testing"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
)

// A job's process is handed what it reads itself, of its own device and hub.
func TestWhatAJobNeeds(t *testing.T) {
	by := func(name string) rigfile.Source { return rigfile.Source{ConnectionStringEnv: name} }
	entra := rigfile.SecretVariables(&rigfile.Registry{Entra: true})
	for name, c := range map[string]struct {
		device rigfile.Device
		hub    rigfile.Hub
		feed   int
		want   []string
	}{
		"nothing":                             {},
		"a registry and events of the run":    {hub: rigfile.Hub{Registry: &rigfile.Registry{Source: by("REGISTRY")}, Events: &rigfile.Events{Source: by("EVENTS")}}, feed: 4, want: []string{"REGISTRY"}},
		"events of its own":                   {hub: rigfile.Hub{Events: &rigfile.Events{Source: by("EVENTS")}}, want: []string{"EVENTS"}},
		"one variable for both":               {hub: rigfile.Hub{Registry: &rigfile.Registry{Source: by("BOTH")}, Events: &rigfile.Events{Source: by("BOTH")}}, feed: 4, want: []string{"BOTH"}},
		"a registry by Entra":                 {hub: rigfile.Hub{Registry: &rigfile.Registry{Entra: true}}, want: entra},
		"events of the run by Entra":          {hub: rigfile.Hub{Events: &rigfile.Events{Entra: true}, ResourceID: "/subscriptions/s"}, feed: 3},
		"an observer's password":              {hub: rigfile.Hub{Observer: &rigfile.Observer{PasswordEnv: "OBSERVER"}}, want: []string{"OBSERVER"}},
		"the device's":                        {device: rigfile.Device{Type: rigfile.Type{MQTT: rigfile.MQTT{PasswordEnv: "BOARD"}}}, want: []string{"BOARD"}},
		"what a power controller is asked by": {device: rigfile.Device{Power: &rigfile.Power{On: rigfile.PowerAction{Request: &rigfile.PowerRequest{Headers: []rigfile.Header{{ValueEnv: "PDU"}}}}}}, want: []string{"PDU"}},
	} {
		if got := needs(fixtures.Job{Device: c.device, Hub: c.hub, Feed: c.feed}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

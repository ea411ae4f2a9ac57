package soak

import (
	"hilrig/fixtures"
)

// Specs are the area's, in order.
func Specs() []fixtures.Spec {
	soak := []string{"soak"}
	ofCuts := []string{
		"cuts",
		"time to reconnect at first",
		"time to reconnect at last",
		"messages",
		"sessions begun",
		"messages lost between sessions",
		"longest silence in a session",
		"memory of the hub, grown by",
	}
	return []fixtures.Spec{
		{
			ID: "soak/steady", Labels: soak,
			Text:   "delivers for hours, and loses nothing",
			Why:    "what fails after an hour fails at the customer's",
			Source: "field",
			Needs:  fixtures.Needs{"A"},
			Limit:  fixtures.LimitSoak, Cost: fixtures.Cost{Soaks: 1},
			Measures: []string{
				"messages",
				"sessions begun",
				"messages lost between sessions",
				"longest silence in a session",
				"memory of the hub, grown by",
				"interval at first",
				"interval at last",
			},
			Body: steady,
		},
		{
			ID: "soak/reconnect-100", Labels: soak,
			Text:   "comes back from a hundred cuts as quickly as from the first",
			Why:    "what each reconnect leaves behind adds up until the device stands still",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N", "D"},
			Limit:  fixtures.LimitSoak, Cost: fixtures.Cost{Connects: 20},
			Measures: ofCuts,
			Body:     reconnects,
		},
		{
			ID: "soak/intermittent", Labels: soak,
			Text:   "lives with a link that is cut at random",
			Why:    "no link in the field is cut when a test would cut it",
			Source: "field",
			Needs:  fixtures.Needs{"A", "N", "D"},
			Limit:  fixtures.LimitSoak, Cost: fixtures.Cost{Connects: 3, Soaks: 1},
			Measures: ofCuts,
			Body:     intermittent,
		},
	}
}

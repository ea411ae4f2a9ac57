package azure

import (
	"strings"
	"testing"

	"hilrig/azure/iothub/arm"
)

// What a hub costs is said before it is made, for as many units as are asked for.
func TestWhatAHubCosts(t *testing.T) {
	for _, c := range []struct {
		hub     arm.NewHub
		says    string
		refused bool
	}{
		{arm.NewHub{SKU: "F1", Units: 1}, "F1 costs nothing", false},
		{arm.NewHub{SKU: "S1", Units: 3}, "75 USD a month", false},
		{arm.NewHub{SKU: "F1", Units: 2}, "F1 has one unit", true},
		{arm.NewHub{SKU: "S1", Units: 0}, "want 1 or more", true},
		{arm.NewHub{SKU: "S9", Units: 1}, "want one of", true},
	} {
		says, err := monthly(c.hub)
		if err != nil {
			says = err.Error()
		}
		if (err != nil) != c.refused || !strings.Contains(says, c.says) {
			t.Errorf("%+v: %q, %v; want %q", c.hub, says, err, c.says)
		}
	}
}

// How large a message may be, and what it costs, is said by the hub's tier; of one
// that is not known, that.
func TestWhatAMessageCosts(t *testing.T) {
	for sku, want := range map[string]string{
		"F1": "each begun 0.5 kB one,; F1 costs nothing",
		"S1": "each begun 4 kB one,; they cost nothing beside the 25 USD that S1 costs a month and unit (list price)",
		"S9": "of a size that is not known; what S9 costs is not known",
	} {
		if got := sizeOf(sku) + "; " + priceOf(sku); got != want {
			t.Errorf("%s: %s", sku, got)
		}
	}
}

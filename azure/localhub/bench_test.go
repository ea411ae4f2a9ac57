package localhub_test

import (
	"testing"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// What the letters say and what a bench finds by asking is the same.
func TestTheLettersSayWhatTheHubCanDo(t *testing.T) {
	b := start(t)
	a := hub.Of(localhub.ForBench(b.hub))
	for letter, can := range map[hub.Letter]bool{
		hub.AnyFault: a.Faults != nil, hub.BadLinks: a.Link != nil, hub.Drops: a.Sessions != nil,
		hub.Speaks: a.Cloud != nil, hub.Knows: a.Registry != nil, hub.AllPackets: a.Packets != nil,
	} {
		if a.Letters().Has(letter) != can {
			t.Errorf("%c: the letters say %v, asking says %v", letter, a.Letters().Has(letter), can)
		}
	}
}

package runner

import (
	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
)

// Kinds are the kinds of hubs that a run can open. It is the one place where a
// kind stands.
func Kinds() fixtures.Kinds {
	return fixtures.Kinds{
		rigfile.KindLocal:  func(rigfile.Hub) hub.Open { return localhub.Open },
		rigfile.KindBroker: openBroker,
	}
}

package runner

import (
	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/tap"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
)

// Kinds are the kinds of hubs that a run can open. It is the one place where a
// kind stands.
func Kinds() fixtures.Kinds {
	return fixtures.Kinds{
		rigfile.KindLocal:  tapped(func(rigfile.Hub) hub.Open { return localhub.Open }),
		rigfile.KindBroker: tapped(openBroker),
		rigfile.KindAzure:  tapped(openAzure),
	}
}

// tapped opens hubs of a kind with a tap in front, where the rig file asks for
// one.
func tapped(open func(rigfile.Hub) hub.Open) func(rigfile.Hub) hub.Open {
	return func(h rigfile.Hub) hub.Open {
		if !h.Tap.On {
			return open(h)
		}
		return tap.Wrap(open(h), tap.Config{Local: h.Kind == rigfile.KindLocal, To: h.Tap.To})
	}
}

package backoff

import (
	"hilrig/azure/hub"
	"hilrig/fixtures"
)

// failing is how tries are made to fail, and how one of them is known.
type failing struct {
	lift func()
	met  func(hub.Event) bool
	end  func() error // of a try that was met, where the hub does not end it by itself
}

// failingBy makes the device's tries fail as the fault says: by the hub's own
// refusal where it shows any fault; where it can only end sessions, by that;
// else on the link in front of it.
func failingBy(b *fixtures.Trial, fault hub.Fault) failing {
	byItself := func() error { return nil }
	if fault.Drop && b.Shows(hub.Drops) && !b.Shows(hub.AnyFault) {
		return failing{lift: func() {}, met: hub.Event.Accepted, end: func() error { _, err := b.EndSession(); return err }}
	}
	showing, kind := b.Hub.Show(fault, 0), hub.KindConnect
	if !fault.Link.IsZero() {
		kind = hub.KindFaultShown
	}
	return failing{lift: showing.Lift, end: byItself, met: func(e hub.Event) bool { return e.Kind == kind && e.Fault == fault.Name }}
}

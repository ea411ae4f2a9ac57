package doctor

import (
	"errors"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// outage is how it is known that a board's power is off; empty where it is on,
// or nobody knows. Where it cannot be read back, it is as every run leaves it.
type outage string

func unread(p *rigfile.Power) outage {
	if p.Safe == rigfile.SafeOff {
		return "safe: off"
	}
	return ""
}

func readBack(on bool) outage {
	if on {
		return ""
	}
	return "power.state"
}

// excuses what a line without life came to: where the power is off that is no
// trouble, since a run switches it on. Power is what was found of its control.
func (o outage) excuses(line, power Result) Result {
	switch {
	case o == "":
		return line
	case power.State == Bad:
		return warn("mend its power control first", "its power is off (%s), and nobody can switch it on; %s", o, line.What)
	}
	return warn("to try the line now, switch it on by hand", "its power is off (%s); a run switches it on; %s", o, line.What)
}

// lifeless reports whether a line failed as it does when what feeds it is off:
// the port is nowhere, or went away.
func lifeless(err error) bool {
	for _, cause := range []error{usb.ErrNone, port.ErrMissing, port.ErrUnplugged} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

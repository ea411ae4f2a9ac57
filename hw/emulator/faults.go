package emulator

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
)

// Fault is one named deviation from the sound device.
type Fault struct {
	Name     string   // for --fault
	Doc      string   // what the firmware does wrong
	Stands   string   // which real defect it stands for
	CaughtBy []string // specs that must be red, or warn, because of it
	Words    []string // which the failure message must contain
	apply    func(*behaviour)
}

// Faults is the gallery, by area and then in the catalogue's order.
func Faults() []Fault {
	return slices.Concat(consoleFaults(), storageFaults(), tlsFaults(), trustFaults(), sessionFaults(), deliveryFaults(), recoveryFaults(), inventedFaults())
}

// firmware is what a device runs: sound firmware of its profile, set up with its
// parameters, and with its faults.
func (c Config) firmware() (behaviour, error) {
	b := sound()
	b.userName, b.password = cmp.Or(c.UserName, b.userName), c.Password
	p, err := FindProfile(c.Profile)
	if err != nil {
		return b, err
	}
	p.apply(&b)
	for _, name := range c.Faults {
		f, err := FindFault(name)
		if err != nil {
			return b, err
		}
		f.apply(&b)
	}
	return b, nil
}

// FindFault finds a fault by name; the error for an unknown one, of class
// usage, names the nearest. Whoever takes a fault's name asks it.
func FindFault(name string) (Fault, error) {
	var known []string
	for _, f := range Faults() {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return Fault{}, record.NewFailure(record.Usage, "find fault", name, errors.New("the emulated device has no such firmware")).
		WithCure(cmp.Or(wording.DidYouMean(name, known), "hilrig emulate --list-faults shows them all"))
}

func specs(ids string) []string { return strings.Fields(ids) }

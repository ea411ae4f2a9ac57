package gallery

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/emulator"
	"hilrig/record"
)

// profileShares are the profiles whose specs are dealt out to several devices:
// one that is slow would keep everybody waiting.
var profileShares = map[string]int{"slow": 2}

// deal gives each of n devices every n-th spec.
func deal(specs []fixtures.Spec, n int) [][]fixtures.Spec {
	n = max(1, min(n, len(specs)))
	shares := make([][]fixtures.Spec, n)
	for i, s := range specs {
		shares[i%n] = append(shares[i%n], s)
	}
	return shares
}

// Request says what of the gallery to show.
type Request struct {
	Specs  []fixtures.Spec // to hold against the gallery
	Faults []string        // names; empty: all, and sound firmware too
	Full   bool            // every spec against every fault, not only those named for it
}

// Case is one device of the gallery.
type Case struct {
	Device  rigfile.Device
	Specs   []fixtures.Spec
	Profile string          // of sound firmware
	Fault   *emulator.Fault // nil: sound firmware
}

// Profiles are the paces of sound firmware.
func Profiles() []string { return []string{"fast", "slow", "chatty"} }

// Cases are the devices of the gallery, sound ones first. Errors are of class
// usage: an unknown fault, or nothing left to run.
func Cases(r Request) ([]Case, error) {
	for _, name := range r.Faults {
		if _, err := emulator.FindFault(name); err != nil {
			return nil, err
		}
	}
	var cases []Case
	if len(r.Faults) == 0 {
		for _, profile := range Profiles() {
			for i, specs := range deal(r.Specs, profileShares[profile]) {
				name := "sound-" + profile
				if i > 0 {
					name += fmt.Sprintf("-%d", i+1)
				}
				d, err := device(name, profile)
				if err != nil {
					return nil, err
				}
				cases = append(cases, Case{Device: d, Specs: specs, Profile: profile})
			}
		}
	}
	for _, f := range emulator.Faults() {
		specs := r.specsFor(f)
		if len(r.Faults) > 0 && !slices.Contains(r.Faults, f.Name) || len(specs) == 0 {
			continue
		}
		d, err := device(f.Name, "fast")
		if err != nil {
			return nil, err
		}
		cases = append(cases, Case{Device: hurried(d, f.Name), Specs: specs, Fault: &f})
	}
	if len(cases) == 0 {
		return nil, record.NewFailure(record.Usage, "choose from", "the gallery of faults",
			errors.New("no spec that was asked for is named for a fault that was asked for")).
			WithCure("hilrig emulate --list-faults shows which spec catches which fault")
	}
	return cases, nil
}

func (r Request) specsFor(f emulator.Fault) (specs []fixtures.Spec) {
	for _, s := range r.Specs {
		if r.Full && !slices.Contains(s.Labels, "soak") || slices.Contains(f.CaughtBy, s.ID) {
			specs = append(specs, s)
		}
	}
	return specs
}

// device is an emulated device of the built-in type, as a rig file makes it.
func device(name, profile string) (rigfile.Device, error) {
	rig, problems := rigfile.Parse("gallery", fmt.Appendf(nil,
		"devices: [{name: %s, device_id: NewDevice, serial: {emulated: {profile: %s}}}]\n", name, profile))
	if len(problems) > 0 {
		return rigfile.Device{}, record.NewFailure(record.Harness, "make device", name, problems)
	}
	return rig.Devices[0], nil
}

// hurried gives a faulty device the time limits of one that is known to be
// quick where it is sound: what is waited for in vain here never comes.
func hurried(d rigfile.Device, fault string) rigfile.Device {
	d.Serial.Emulated.Faults = []string{fault}
	timing := &d.Type.Timing
	timing.ConnectWithin, timing.PublishWithin, timing.ReconnectWithin = 5*time.Second, 5*time.Second, 5*time.Second
	timing.AbortWithin, timing.Soak = time.Second, 5*time.Second
	d.Type.Console.PromptWithin, d.Type.Console.OKWithin = 2*time.Second, 3*time.Second
	return d
}

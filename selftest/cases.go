package selftest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/emulator"
	"hilrig/record"
)

// deal gives each of n devices every n-th spec: one that is slow would keep
// everybody waiting.
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
	Specs    []fixtures.Spec // to hold against the gallery
	Faults   []string        // names; empty: all, unless there are Profiles
	Profiles []string        // names; empty: all, unless there are Faults
	Full     bool            // every spec against every device, not only those named for it
}

// Case is one device of the gallery.
type Case struct {
	Device  rigfile.Device
	Specs   []fixtures.Spec
	Profile string          // of sound firmware
	Fault   *emulator.Fault // nil: sound firmware
}

// Cases are the devices of the gallery, sound ones first. Errors are of class
// usage: an unknown name, or nothing left to run.
func Cases(r Request) ([]Case, error) {
	sound, err := r.sound()
	if err != nil {
		return nil, err
	}
	faulty, err := r.faulty()
	if err != nil {
		return nil, err
	}
	cases := slices.Concat(sound, faulty)
	if len(cases) == 0 {
		return nil, record.NewFailure(record.Usage, "choose from", "the gallery of faults",
			errors.New("no spec that was asked for is named for a fault that was asked for")).
			WithCure("hilrig emulate --list-faults shows which spec catches which fault")
	}
	return cases, nil
}

// sound are the devices without a fault: of each profile one, or several that
// share its specs.
func (r Request) sound() (cases []Case, err error) {
	for _, name := range r.Profiles {
		if _, err := emulator.FindProfile(name); err != nil {
			return nil, err
		}
	}
	for _, p := range emulator.Profiles() {
		if !chosen(p.Name, r.Profiles, r.Faults) {
			continue
		}
		specs := slices.DeleteFunc(slices.Clone(r.Specs), func(s fixtures.Spec) bool {
			return !HeldAgainst(p, s.ID) && (!r.Full || slices.Contains(s.Labels, "soak"))
		})
		if len(specs) == 0 {
			continue
		}
		for i, specs := range deal(specs, p.Devices) {
			name := "sound-" + p.Name
			if i > 0 {
				name += fmt.Sprintf("-%d", i+1)
			}
			d, err := device(name, p.Name)
			if err != nil {
				return nil, err
			}
			cases = append(cases, Case{Device: d, Specs: specs, Profile: p.Name})
		}
	}
	return cases, nil
}

// chosen reports whether this name is asked for; where nothing of its kind is,
// all are, unless others of the gallery are.
func chosen(name string, asked, others []string) bool {
	if len(asked) == 0 {
		return len(others) == 0
	}
	return slices.Contains(asked, name)
}

// HeldAgainst reports whether a selftest holds this spec against the profile.
func HeldAgainst(p emulator.Profile, spec string) bool {
	return len(p.Specs) == 0 || slices.ContainsFunc(p.Specs, func(pattern string) bool {
		ok, err := path.Match(pattern, spec)
		return ok && err == nil
	})
}

func (r Request) faulty() (cases []Case, err error) {
	for _, name := range r.Faults {
		if _, err := emulator.FindFault(name); err != nil {
			return nil, err
		}
	}
	for _, f := range emulator.Faults() {
		specs := r.specsFor(f)
		if !chosen(f.Name, r.Faults, r.Profiles) || len(specs) == 0 {
			continue
		}
		d, err := device(f.Name, emulator.ProfileFast)
		if err != nil {
			return nil, err
		}
		cases = append(cases, Case{Device: hurried(d, f.Name), Specs: specs, Fault: &f})
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
	timing.AbortWithin, timing.Soak, timing.BootWithin = time.Second, 5*time.Second, 2*time.Second
	d.Type.Console.PromptWithin, d.Type.Console.OKWithin = 2*time.Second, 3*time.Second
	return d
}

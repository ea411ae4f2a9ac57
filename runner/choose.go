package runner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
)

// chooseDevices picks the named devices of a rig, in the rig's order; none
// named means all. No device at all is a usage error.
func chooseDevices(rig *rigfile.Rig, names []string) ([]rigfile.Device, error) {
	var known []string
	for _, d := range rig.Devices {
		known = append(known, d.Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, record.NewFailure(record.Usage, "find device", n, fmt.Errorf("rig %s has no such device", rig)).
				WithCure(choice(n, known))
		}
	}
	var chosen []rigfile.Device
	for _, d := range rig.Devices {
		if len(names) == 0 || slices.Contains(names, d.Name) {
			chosen = append(chosen, d)
		}
	}
	if len(chosen) == 0 {
		return nil, record.NewFailure(record.Usage, "find devices", "", fmt.Errorf("rig %s has none", rig))
	}
	return chosen, nil
}

// withFaults puts faulty firmware into every chosen device. A real device runs
// the firmware that it has.
func withFaults(devices []rigfile.Device, faults []string, check func(name string) error) ([]rigfile.Device, error) {
	for _, f := range faults {
		if err := check(f); err != nil {
			return nil, err
		}
	}
	for _, d := range devices {
		for _, f := range d.Faults() {
			if err := check(f); err != nil {
				return nil, fmt.Errorf("firmware of %s: %w", d.Name, err)
			}
		}
	}
	if len(faults) == 0 {
		return devices, nil
	}
	out := slices.Clone(devices)
	for i, d := range out {
		if d.Serial.Emulated == nil {
			return nil, record.NewFailure(record.Usage, "run with --fault", d.Name,
				fmt.Errorf("it is a real device at %s, and faulty firmware is for emulated ones", d.Serial)).
				WithCure("choose emulated devices with --device")
		}
		e := *d.Serial.Emulated
		e.Faults = append(slices.Clone(e.Faults), faults...)
		out[i].Serial.Emulated = &e
	}
	return out, nil
}

// checkTypes reads what the types of devices name, before a device is touched.
func checkTypes(devices []rigfile.Device) error {
	for _, d := range devices {
		if _, err := d.Type.Payload.Compile(); err != nil {
			return fmt.Errorf("type %s of %s: %w", d.TypeName, d.Name, err)
		}
	}
	return nil
}

// checkOwnFiles reads what devices are to be given back when the run is over. It
// must be found wrong before a device has lost what it holds now.
func checkOwnFiles(devices []rigfile.Device) error {
	for _, d := range devices {
		g := d.AfterRun
		if g == nil {
			continue
		}
		f, err := certs.CheckFiles(g.Root, g.Certificate, g.Key)
		if err == nil {
			most := d.Type.Console.MaxFile
			for _, data := range [][]byte{f.RootPEM, f.Identity.CertificatePEM, f.Identity.KeyPEM} {
				if most > 0 && len(data) > most {
					err = fmt.Errorf("a file of %d bytes, and its type takes %d (console.max_file)", len(data), most)
				}
			}
		}
		if err != nil {
			return record.NewFailure(record.Usage, "check after_run of", d.Name, err)
		}
	}
	return nil
}

// chooseHubs are the hubs of these names, or the rig's own.
func chooseHubs(rig *rigfile.Rig, names []string) (hubs []rigfile.Hub, err error) {
	if len(names) == 0 {
		hubs = []rigfile.Hub{rig.Hub}
	}
	for _, name := range names {
		h, err := rig.HubNamed(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(hubs, func(o rigfile.Hub) bool { return o.Name == h.Name }) {
			return nil, record.NewFailure(record.Usage, "read", "--hub "+name, fmt.Errorf("hub %s is asked for twice", h.Name)).
				WithCure("--repeat runs it several times")
		}
		hubs = append(hubs, h)
	}
	for _, h := range hubs {
		if _, opens := Kinds()[h.Kind]; !opens {
			return nil, record.NewFailure(record.Usage, "use hub", h.Name, fmt.Errorf("this version drives no device against a hub of this kind")).
				WithCure("--hub local")
		}
	}
	return hubs, nil
}

// choice tells a person who mistyped what there is.
func choice(got string, known []string) string {
	return cmp.Or(wording.DidYouMean(got, known), "there is "+strings.Join(known, ", "))
}

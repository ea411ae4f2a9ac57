package runner

import (
	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// lease is a device that this run holds.
type lease struct{ give release }

// leaseDevice leases a device for the rest of the run, over the gaps between rounds
// too. The child locks the port itself, under another name. An emulated device
// belongs to its child and cannot be anybody else's.
func (r *run) leaseDevice(d rigfile.Device) error {
	if d.Serial.Emulated != nil {
		return nil
	}
	r.mu.Lock() // of the leases alone: taking one can last
	defer r.mu.Unlock()
	if _, held := r.leases[d.Name]; held {
		return nil
	}
	give, err := r.leaseOf(leaseName(d))
	if err != nil {
		return err
	}
	r.leases[d.Name] = lease{give}
	return nil
}

func (r *run) leaseOf(name string) (release, error) {
	if r.lease != nil {
		return r.lease(name, r.head.ID)
	}
	l, err := port.Lock(r.LockDir, name, r.head.ID)
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// leaseName names a device by what it hangs on, so that two rig files that
// call it differently meet, also one by path and one by USB serial number.
func leaseName(d rigfile.Device) string {
	path := d.Serial.Address()
	if d.Serial.USB != "" {
		if found, err := usb.Resolve("/", d.Serial.USB); err == nil {
			path = found.Path // one that is not there is the child's to report
		}
	}
	if path == "" {
		return "device " + d.Serial.String()
	}
	return port.LeaseName(path) // a port that is missing is the child's to report
}

func (r *run) releaseAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, l := range r.leases {
		if err := l.give(); err != nil {
			r.Log.Warn("lease not given back", "device", name, "err", err)
		}
	}
	clear(r.leases)
}

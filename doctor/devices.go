package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

func checkPorts(_ context.Context, h *Host) (found []Result) {
	if h.NoPorts != nil {
		return []Result{warn("name ports by path", "%s", h.NoPorts)}
	}
	for _, s := range h.Ports {
		switch err := port.MayOpen(s.Path); {
		case err == nil:
			found = append(found, fine("%s may be opened", s))
		case s.USB && h.Rig.File == "":
			found = append(found, bad(port.PermissionCure(s.Path), "%s: %s", s, err))
		default: // the machine's own, or not of this rig, whose devices have a check of their own
			found = append(found, warn(port.PermissionCure(s.Path), "%s: %s", s, err))
		}
	}
	if len(found) == 0 {
		found = append(found, fine("no serial port is plugged in"))
	}
	return found
}

func checkDevices(_ context.Context, h *Host) (found []Result) {
	for _, d := range h.Rig.Devices {
		switch l := ReachOf(d, h.Ports, h.NoPorts, h.LockDir); {
		case d.Serial.Emulated != nil:
			found = append(found, fine("%s is emulated", d.Name))
		case l.Reachable && d.Serial.URL != "":
			found = append(found, fine("%s at %s is on the network: not tried, that would open it", d.Name, l.Port))
		case l.Reachable:
			found = append(found, fine("%s at %s can be reached", d.Name, l.Port))
		default:
			found = append(found, bad(l.cure(), "%s cannot be reached: %s", d.Name, l.trouble()))
		}
	}
	return found
}

// Reach is where a device's port is now, and whether it could be opened.
type Reach struct {
	Port      string       `json:"port,omitempty"` // empty: none is needed, or it is nowhere
	Reachable bool         `json:"reachable"`
	Why       string       `json:"why,omitempty"` // it cannot be reached
	Holder    *port.Holder `json:"holder,omitempty"`
	err       error        // as Why says
}

// trouble is why the port cannot be reached, with its name.
func (r Reach) trouble() string {
	if r.Port == "" { // it is in the words
		return r.Why
	}
	return r.Port + ": " + r.Why
}

// cure is what helps where the port cannot be reached.
func (r Reach) cure() string {
	if errors.Is(r.err, fs.ErrPermission) {
		return port.PermissionCure(r.Port)
	}
	return "hilrig devices shows what is plugged in, and who holds it"
}

// ReachOf finds a device's port among those of the host, which noList says
// could not be listed, and says whether it could be opened; it does not open it.
func ReachOf(d rigfile.Device, ports []usb.Port, noList error, lockDir string) Reach {
	path, err := pathOf(d.Serial, ports, noList)
	r := Reach{Port: path}
	if err == nil && path != "" {
		if r.Holder = port.HolderOf(lockDir, path); r.Holder != nil {
			err = &port.BusyError{Path: path, Holder: *r.Holder}
		} else if trouble := port.LockTrouble(lockDir, path); trouble != nil {
			err = fmt.Errorf("its lock in %s: %w", lockDir, trouble)
		} else if d.Serial.URL == "" { // reaching a server of ports opens the port
			err = port.MayOpen(path)
		}
	}
	if r.Reachable = err == nil; err != nil {
		r.Why, r.err = err.Error(), err
	}
	return r
}

// pathOf is where a device's port is; empty for one that is made for the run.
func pathOf(s rigfile.Serial, ports []usb.Port, noList error) (string, error) {
	switch {
	case s.Emulated != nil:
		return "", nil
	case s.URL != "":
		return s.URL, nil
	case s.USB == "":
		_, err := os.Stat(s.Path)
		var missing *os.PathError
		if errors.As(err, &missing) {
			err = missing.Err
		}
		return s.Path, err
	case noList != nil:
		return "", noList
	}
	p, err := usb.Find(ports, s.USB)
	return p.Path, err
}

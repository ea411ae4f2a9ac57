package usb

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hilrig/record"
)

// List finds the serial ports below root, which is "/" on a real machine:
// root/sys/class/tty, and root/dev/serial for the names that udev gives. Paths
// in the answer are without root. They are ordered by name, ttyUSB2 before
// ttyUSB10. A port that is unplugged meanwhile is left out. What is not the
// class of a device (consoles, pseudo-terminals) and legacy ports with no
// hardware behind them are no serial ports.
func List(root string) ([]Port, error) {
	class := filepath.Join(root, "sys", "class", "tty")
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "list serial ports", "", err).WithCure("is /sys mounted?")
	}
	byID, byPath := links(filepath.Join(root, "dev", "serial", "by-id")), links(filepath.Join(root, "dev", "serial", "by-path"))
	var ports []Port
	for _, e := range entries {
		p, ok := describe(filepath.Join(class, e.Name()))
		if !ok {
			continue
		}
		p.Path = "/dev/" + e.Name()
		p.name("/dev/serial/by-id/", byID[e.Name()], &p.ByID)
		p.name("/dev/serial/by-path/", byPath[e.Name()], &p.ByPath)
		ports = append(ports, p)
	}
	slices.SortFunc(ports, func(a, b Port) int {
		return compareNatural(a.Path, b.Path)
	})
	return ports, nil
}

// name sets the first of a port's links and keeps all of them for Find.
func (p *Port) name(dir string, names []string, first *string) {
	if len(names) > 0 {
		*first = dir + names[0]
		p.links = append(p.links, names...)
	}
}

// links reads a folder of udev's: by the name of the device that they lead to,
// the names of the links, in order. A folder that is missing has none.
func links(dir string) map[string][]string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // udev does not run, or nothing is plugged in
	}
	to := map[string][]string{}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			to[filepath.Base(target)] = append(to[filepath.Base(target)], e.Name())
		}
	}
	return to
}

// describe reads what sysfs tells of a terminal; false where it is no serial
// port. /sys/class/tty/ttyUSB0 leads into the tree of devices:
//
//	…/1-2/                      the adapter: idVendor, serial, product
//	…/1-2/1-2:1.0/              one interface of it: bInterfaceNumber
//	…/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0     with "device" leading two up (usb-serial)
//	…/1-2/1-2:1.0/tty/ttyACM0             (cdc_acm)
func describe(dir string) (Port, bool) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Port{}, false
	}
	device, err := filepath.EvalSymlinks(filepath.Join(real, "device"))
	if err != nil {
		return Port{}, false // a console or a pseudo-terminal
	}
	if attribute(real, "type") == "0" {
		return Port{}, false // PORT_UNKNOWN (linux/serial_core.h): a legacy port that is not there
	}
	p := Port{}
	for at := device; at != filepath.Dir(at); at = filepath.Dir(at) {
		if p.Driver == "" {
			p.Driver = driverOf(at)
		}
		if p.Interface == "" {
			p.Interface = attribute(at, "bInterfaceNumber")
		}
		if vid := attribute(at, "idVendor"); vid != "" {
			p.USB, p.VID, p.PID = true, strings.ToLower(vid), strings.ToLower(attribute(at, "idProduct"))
			p.Serial, p.Manufacturer, p.Product = attribute(at, "serial"), attribute(at, "manufacturer"), attribute(at, "product")
			break
		}
	}
	return p, true
}

// driverOf is the driver that is bound to a device. Since Linux 6.5 there is a
// level of the serial core's own below the hardware's, whose drivers say nothing.
func driverOf(dir string) string {
	driver, err := os.Readlink(filepath.Join(dir, "driver"))
	if err != nil || strings.Contains(driver, "/serial-base/") {
		return ""
	}
	return filepath.Base(driver)
}

// attribute is the text of a file of sysfs, empty where there is none.
func attribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// compareNatural orders ttyUSB2 before ttyUSB10.
func compareNatural(a, b string) int {
	stem := func(s string) string { return strings.TrimRight(s, "0123456789") }
	if sa, sb := stem(a), stem(b); sa != sb {
		return strings.Compare(sa, sb)
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

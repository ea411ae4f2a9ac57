package usb

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hilrig/record"
)

// What can be wrong with a selector; errors.Is finds them.
var (
	ErrNone    = errors.New("no such USB serial port")
	ErrSeveral = errors.New("several USB serial ports")
)

// forms are the ways to name a port, in the order in which they are tried: the
// first that fits any port counts. A serial number may look like anything, also
// like another form (Espressif's are MAC addresses with colons), so it is first.
var forms = []struct {
	name string
	fits func(p Port, want string) bool
}{
	{"serial number", func(p Port, want string) bool { return p.Serial != "" && p.Serial == want }},
	{"name in by-path or by-id", func(p Port, want string) bool { return slices.Contains(p.links, baseName(want)) }},
	{"vid:pid", func(p Port, want string) bool { return strings.EqualFold(p.IDs(), want) }},
	{"vid:pid/serial", func(p Port, want string) bool {
		rest, ok := afterIDs(p, want)
		return ok && p.Serial != "" && rest == p.Serial
	}},
	{"serial:interface", fitsInterface},
	{"vid:pid/serial:interface", func(p Port, want string) bool {
		rest, ok := afterIDs(p, want)
		return ok && fitsInterface(p, rest)
	}},
	{"vid:pid:interface", func(p Port, want string) bool {
		rest, ok := cutPrefixFold(want, p.IDs()+":")
		return ok && sameInterface(p, rest)
	}},
}

// Find gives the one port that a rig file's key usb names: a USB serial number,
// vid:pid, vid:pid/serial, each also with :interface where an adapter has
// several ports, or a name in /dev/serial/by-path for one without a serial
// number. None and several are failures of class rig:port.
func Find(ports []Port, want string) (Port, error) {
	var there []Port
	for _, p := range ports {
		if p.USB {
			there = append(there, p)
		}
	}
	fit := match(there, want)
	switch len(fit) {
	case 0:
		return Port{}, none(want, there)
	case 1:
		return fit[0], nil
	}
	return Port{}, several(want, fit, there)
}

// match is the ports that the first form fits which fits any.
func match(ports []Port, want string) (fit []Port) {
	for _, f := range forms {
		for _, p := range ports {
			if p.USB && f.fits(p, want) {
				fit = append(fit, p)
			}
		}
		if len(fit) > 0 {
			break
		}
	}
	return fit
}

func none(want string, there []Port) error {
	if len(there) == 0 {
		return record.NewFailure(record.RigPort, "find port", "usb "+want, fmt.Errorf("%w: none is plugged in", ErrNone)).
			WithCure("check cable, adapter and the hub it is on; dmesg says more")
	}
	return record.NewFailure(record.RigPort, "find port", "usb "+want, fmt.Errorf("%w; there is %s", ErrNone, listed(there))).
		WithCure("is the adapter plugged in? hilrig devices shows those that are")
}

func several(want string, fit, there []Port) error {
	var names []string
	for _, p := range fit {
		if n := NameOf(p, there); n != "" {
			names = append(names, n)
		}
	}
	f := record.NewFailure(record.RigPort, "find port", "usb "+want, fmt.Errorf("%w: %s", ErrSeveral, listed(fit)))
	if len(names) == 0 {
		return f.WithCure("nothing tells them apart: plug in one of them, or name it by path")
	}
	return f.WithCure("say which: " + strings.Join(names, " or "))
}

func listed(ports []Port) string {
	var s []string
	for _, p := range ports {
		s = append(s, p.String())
	}
	return strings.Join(s, ", ")
}

// NameOf is the shortest lasting name by which [Find] tells a USB port from the
// others: its serial number, that with the interface, its name in by-path,
// vid:pid. Empty where nothing tells it apart.
func NameOf(p Port, among []Port) string {
	var names []string
	if p.Serial != "" {
		names = append(names, p.Serial, p.Serial+":"+p.Interface, p.IDs()+"/"+p.Serial, p.IDs()+"/"+p.Serial+":"+p.Interface)
	}
	if p.ByPath != "" {
		names = append(names, baseName(p.ByPath))
	}
	if p.USB {
		names = append(names, p.IDs(), p.IDs()+":"+p.Interface)
	}
	for _, n := range names {
		if fit := match(among, n); len(fit) == 1 && fit[0].Path == p.Path {
			return n
		}
	}
	return ""
}

var interfaceNumber = regexp.MustCompile(`^[0-9A-Fa-f]{1,2}$`)

// fitsInterface: want is serial:interface. The interface follows the last
// colon, because a serial number may hold some.
func fitsInterface(p Port, want string) bool {
	at := strings.LastIndexByte(want, ':')
	return at > 0 && p.Serial == want[:at] && sameInterface(p, want[at+1:])
}

// sameInterface takes 1 for 01 too.
func sameInterface(p Port, number string) bool {
	if !interfaceNumber.MatchString(number) {
		return false
	}
	want, err := strconv.ParseUint(number, 16, 8)
	if err != nil {
		return false
	}
	got, err := strconv.ParseUint(p.Interface, 16, 8)
	return err == nil && got == want
}

func afterIDs(p Port, want string) (rest string, ok bool) { return cutPrefixFold(want, p.IDs()+"/") }

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// Resolve is [List] and [Find] at once. An adapter that is plugged in again may
// have got another path, so it is asked for anew with each open.
func Resolve(root, want string) (Port, error) {
	ports, err := List(root)
	if err != nil {
		return Port{}, err
	}
	return Find(ports, want)
}

// SerialOf is the USB serial number of the adapter that a port is, whichever of
// its names the path is; empty where it has none, or is not on USB.
func SerialOf(root, path string) (string, error) {
	ports, err := List(root)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(filepath.Join(root, path)); err == nil {
		path = real
	}
	for _, p := range ports {
		if p.Path == path || filepath.Join(root, p.Path) == path {
			return p.Serial, nil
		}
	}
	return "", nil
}

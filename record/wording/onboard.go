package wording

import (
	"strings"

	"hilrig/record"
)

// origins are how a thing is known, in words.
var origins = map[record.Origin]string{
	record.Flashed: "flashed by hilrig", record.Asked: "as the device says",
	record.OfAdapter: "of its serial adapter", record.Claimed: "claimed, not asked",
}

// Running is the firmware on a device, and how it is known: "2.4.1, as the
// device says". Empty: nobody knows.
func Running(r record.Running) string {
	switch {
	case r.Known == "":
		return ""
	case r.Version == "":
		return "an image, " + origins[r.Known]
	}
	return r.Version + ", " + origins[r.Known]
}

// Board is the board that a device is: "ADS-0042, as the device says, revision
// B". Empty: nobody knows.
func Board(h record.Hardware) string {
	var parts []string
	if h.Serial != "" {
		parts = append(parts, h.Serial, origins[h.Known])
	}
	if h.Revision != "" {
		parts = append(parts, "revision "+h.Revision)
	}
	return strings.Join(parts, ", ")
}

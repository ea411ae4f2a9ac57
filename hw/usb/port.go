package usb

import "strings"

// Port is a serial port of this machine. Of one that is not on USB only Path
// and Driver are known.
type Port struct {
	Path         string `json:"path"`                   // /dev/ttyUSB0
	ByID         string `json:"by_id,omitempty"`        // /dev/serial/by-id/…; empty where udev does not run
	ByPath       string `json:"by_path,omitempty"`      // /dev/serial/by-path/…: the socket that it is plugged into
	Serial       string `json:"serial,omitempty"`       // iSerial of the adapter; many have none (CH340)
	VID          string `json:"vid,omitempty"`          // four hex digits, lower case, as in sysfs
	PID          string `json:"pid,omitempty"`          // likewise
	Interface    string `json:"interface,omitempty"`    // bInterfaceNumber, two hex digits: which port of an FT4232
	Manufacturer string `json:"manufacturer,omitempty"` // as the adapter says
	Product      string `json:"product,omitempty"`      // as the adapter says
	Driver       string `json:"driver,omitempty"`       // ftdi_sio, cdc_acm, serial8250
	USB          bool   `json:"usb"`

	links []string // names of all its links in by-path and by-id: newer udev has several
}

// IDs is vid:pid, empty where the port is not on USB.
func (p Port) IDs() string {
	if !p.USB {
		return ""
	}
	return p.VID + ":" + p.PID
}

// String is for people: "/dev/ttyUSB0 (0403:6001, serial A50285BI, interface 00)".
func (p Port) String() string {
	if !p.USB {
		return p.Path
	}
	words := []string{p.IDs()}
	if p.Serial != "" {
		words = append(words, "serial "+p.Serial)
	} else {
		words = append(words, "no serial number")
	}
	if p.Interface != "" {
		words = append(words, "interface "+p.Interface)
	}
	if p.ByPath != "" {
		words = append(words, baseName(p.ByPath))
	}
	return p.Path + " (" + strings.Join(words, ", ") + ")"
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

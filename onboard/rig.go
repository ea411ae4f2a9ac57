package onboard

import (
	"fmt"
	"strconv"
	"strings"

	"hilrig/hw/usb"
	"hilrig/record/wording"
)

// RigFile is a rig file with a device for each USB port among these, and how many
// it has. Where there is none the device is an emulated one.
func RigFile(ports []usb.Port) (text string, boards int) {
	var b strings.Builder
	b.WriteString(`rig: bench-1
hub:
  host: localhost      # what the devices dial and the hub's certificate names; a board needs a name that leads to this machine
  listen: 127.0.0.1    # 0.0.0.0 for boards
devices:
`)
	for _, p := range ports {
		if !p.USB {
			continue
		}
		boards++
		fmt.Fprintf(&b, "  - name: device-%d      # %s\n", boards, comment(p))
		b.WriteString("    device_id: NewDevice\n")
		fmt.Fprintf(&b, "    hub_port: %d       # the broker port set in this device\n", 8882+boards)
		fmt.Fprintf(&b, "    serial: %s\n", serialKey(p, ports))
	}
	if boards == 0 {
		b.WriteString("  - name: emu-1          # no USB serial port was there\n    device_id: NewDevice\n    serial: {emulated: {}}\n")
	}
	return b.String(), boards
}

// serialKey is a port's name that lasts; its path where nothing else tells it
// from its twin.
func serialKey(p usb.Port, ports []usb.Port) string {
	if name := usb.NameOf(p, ports); name != "" {
		return "{usb: " + strconv.Quote(name) + "}"
	}
	return "{path: " + strconv.Quote(p.Path) + "}"
}

// comment describes a port on one line; what it says comes from the adapter.
func comment(p usb.Port) string {
	words := wording.OneLine(p.Manufacturer + " " + p.Product + " " + p.IDs())
	quoted := strconv.QuoteToASCII(words + ", was " + p.Path)
	return quoted[1 : len(quoted)-1]
}

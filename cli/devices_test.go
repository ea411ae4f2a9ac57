package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/usb"
)

var twoPorts = []usb.Port{
	{Path: "/dev/ttyS0"},
	{Path: "/dev/ttyUSB0", USB: true, VID: "0403", PID: "6001", Serial: "0012345", Interface: "00", Manufacturer: "FTDI # \"x\"", Product: "FT232R\nUSB"},
	{Path: "/dev/ttyUSB1", USB: true, VID: "1a86", PID: "7523", Interface: "00", Product: "USB Serial"},
}

var twins = []usb.Port{
	{Path: "/dev/ttyUSB0", USB: true, VID: "1a86", PID: "7523", Interface: "00"},
	{Path: "/dev/ttyUSB1", USB: true, VID: "1a86", PID: "7523", Interface: "00"},
}

func TestRigTextLoads(t *testing.T) {
	for _, c := range []struct {
		name  string
		ports []usb.Port
		want  []string
	}{
		{"no port", nil, []string{"emulated"}},
		{"no USB port", twoPorts[:1], []string{"emulated"}},
		{"two adapters", twoPorts, []string{"usb 0012345", "usb 1a86:7523"}},
		{"twins", twins, []string{"/dev/ttyUSB0", "/dev/ttyUSB1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "rig.yaml")
			text, _ := rigText(c.ports)
			if err := writeNew(name, text); err != nil {
				t.Fatal(err)
			}
			rig, err := rigfile.Load(name)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			var got []string
			for _, d := range rig.Devices {
				got = append(got, d.Serial.String())
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("devices at %q, want %q\n%s", got, c.want, text)
			}
			if err := writeNew(name, "x"); err == nil {
				t.Error("overwritten")
			}
		})
	}
}

package onboard

import (
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

func TestARigFileOfWhatIsPluggedInLoads(t *testing.T) {
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
			text, boards := RigFile(c.ports)
			rig, problems := rigfile.Parse("rig.yaml", []byte(text))
			if len(problems) > 0 {
				t.Fatalf("%v\n%s", problems, text)
			}
			if c.want[0] == "emulated" != (boards == 0) || boards > 0 && boards != len(rig.Devices) {
				t.Errorf("%d boards among %d devices", boards, len(rig.Devices))
			}
			var got []string
			for _, d := range rig.Devices {
				got = append(got, d.Serial.String())
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("devices at %q, want %q\n%s", got, c.want, text)
			}
		})
	}
}

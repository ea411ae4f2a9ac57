package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
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

func TestReachSaysWhyADeviceCannotBeReached(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "tty")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := port.Lock(dir, "device /dev/ttyUSB0", "run-7")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	other, err := port.Lock(dir, "device "+port.LineName("rfc2217://h:2"), "run-8")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Release()
	for _, c := range []struct {
		name   string
		serial rigfile.Serial
		path   string
		why    string
	}{
		{"emulated", rigfile.Serial{Emulated: &rigfile.Emulated{}}, "", ""},
		{"path", rigfile.Serial{Path: there}, there, ""},
		{"missing", rigfile.Serial{Path: there + "0"}, there + "0", "no such file"},
		{"held", rigfile.Serial{USB: "0012345"}, "/dev/ttyUSB0", "run run-7"},
		{"not plugged in", rigfile.Serial{USB: "NOSUCH"}, "", "no such USB serial port"},
		{"url", rigfile.Serial{URL: "tcp://h:1"}, "tcp://h:1", ""},
		{"url, held as another", rigfile.Serial{URL: "tcp://h:2"}, "tcp://h:2", "run run-8"},
	} {
		l := reach(rigfile.Device{Name: c.name, Serial: c.serial}, twoPorts, nil, dir)
		if l.Reachable != (c.why == "") || !strings.Contains(l.Why, c.why) || l.Port != c.path {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
}

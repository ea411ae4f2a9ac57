package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

func TestReachSaysWhyADeviceCannotBeReached(t *testing.T) {
	ports := []usb.Port{{Path: "/dev/ttyS0"}, {Path: "/dev/ttyUSB0", USB: true, VID: "0403", PID: "6001", Serial: "0012345", Interface: "00"}}
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
	other, err := port.Lock(dir, port.LeaseName("rfc2217://h:2"), "run-8")
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
		l := ReachOf(rigfile.Device{Name: c.name, Serial: c.serial}, ports, nil, dir)
		if l.Reachable != (c.why == "") || !strings.Contains(l.Why, c.why) || l.Port != c.path {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
}

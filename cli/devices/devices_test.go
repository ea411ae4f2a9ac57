package devices

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"hilrig/doctor"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// A shelf is looked at for what is wrong: that stands above what a run has, and
// that above what is well, in the rig file's order each, and above the ports,
// of which a window may show a part. JSON keeps the rig file's order.
func TestWhatCannotBeReachedStandsFirst(t *testing.T) {
	t.Parallel()
	device := func(name string, reach doctor.Reach) deviceLine { return deviceLine{Name: name, Reach: reach} }
	held := doctor.Reach{Why: "busy", Holder: &port.Holder{PID: 4711, Run: "r1"}}
	gone, there := doctor.Reach{Why: "no such file"}, doctor.Reach{Reachable: true}
	l := listing{Devices: []deviceLine{device("b1", there), device("b2", held), device("b3", gone), device("b4", there), device("b5", gone)}}
	for name, c := range map[string]struct {
		ports []portLine
		note  string
		want  string
	}{
		"no port":      {want: "DEVICE b3 b5 b2 b1 b4  no"},
		"a port":       {ports: []portLine{{Port: usb.Port{Path: "/dev/tty1"}}}, want: "DEVICE b3 b5 b2 b1 b4  PORT /dev/tty1"},
		"ports untold": {note: "no /sys", want: "DEVICE b3 b5 b2 b1 b4  no"},
	} {
		l := l
		l.Ports, l.Note = c.ports, c.note
		before := slices.Clone(l.Devices)
		var out bytes.Buffer
		if err := l.print(&out); err != nil {
			t.Fatal(err)
		}
		var first []string
		for line := range strings.Lines(out.String()) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			first = append(first, word)
		}
		if got := strings.Join(first, " "); got != c.want {
			t.Errorf("%s: %q, want %q\n%s", name, got, c.want, out.String())
		}
		if !slices.Equal(l.Devices, before) {
			t.Errorf("%s: printing has changed the listing's order", name)
		}
	}
}

package devices

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"hilrig/doctor"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// What comes, goes, is taken and let go is a line each; a run that opens its
// line again is no news.
func TestEachChangeOfAShelfIsALine(t *testing.T) {
	run := func(id string, at int64) *port.Holder {
		return &port.Holder{PID: 4711, Run: id, Since: time.Unix(at, 0)}
	}
	tty := func(path string, h *port.Holder) portLine {
		return portLine{Port: usb.Port{Path: path}, Name: "A" + path[len(path)-1:], Holder: h}
	}
	board := func(reachable bool, why string, h *port.Holder) deviceLine {
		return deviceLine{Name: "b1", Reach: doctor.Reach{Port: "/dev/tty1", Reachable: reachable, Why: why, Holder: h}}
	}
	for _, c := range []struct {
		name        string
		before, now listing
		want        string
	}{
		{"nothing", listing{Ports: []portLine{tty("/dev/tty1", nil)}}, listing{Ports: []portLine{tty("/dev/tty1", nil)}}, ""},
		{"a port came", listing{}, listing{Ports: []portLine{tty("/dev/tty1", nil)}}, "/dev/tty1 came: A1, held by nobody"},
		{"a port went", listing{Ports: []portLine{tty("/dev/tty1", nil)}}, listing{}, "/dev/tty1 is gone"},
		{"taken", listing{Ports: []portLine{tty("/dev/tty1", nil)}}, listing{Ports: []portLine{tty("/dev/tty1", run("r1", 1))}}, "/dev/tty1 held by process 4711 (run r1), since …"},
		{"let go", listing{Ports: []portLine{tty("/dev/tty1", run("r1", 1))}}, listing{Ports: []portLine{tty("/dev/tty1", nil)}}, "/dev/tty1 held by nobody"},
		{"not to be locked", listing{Ports: []portLine{tty("/dev/tty1", nil)}}, listing{Ports: []portLine{{Port: usb.Port{Path: "/dev/tty1"}, Lock: "denied"}}}, "/dev/tty1 cannot be locked: denied"},
		{"opened again", listing{Ports: []portLine{tty("/dev/tty1", run("r1", 1))}}, listing{Ports: []portLine{tty("/dev/tty1", run("r1", 5))}}, ""},
		{"the next run", listing{Ports: []portLine{tty("/dev/tty1", run("r1", 1))}}, listing{Ports: []portLine{tty("/dev/tty1", run("r2", 5))}}, "/dev/tty1 held by process 4711 (run r2), since …"},
		{"a board came", listing{Devices: []deviceLine{board(false, "no such port", nil)}}, listing{Devices: []deviceLine{board(true, "", nil)}}, "device b1 can be reached: yes"},
		{"a board taken", listing{Devices: []deviceLine{board(true, "", nil)}}, listing{Devices: []deviceLine{board(false, "busy", run("r1", 1))}}, "device b1 can be reached: no: busy"},
		{"a board's line opened again", listing{Devices: []deviceLine{board(false, "busy 1", run("r1", 1))}}, listing{Devices: []deviceLine{board(false, "busy 5", run("r1", 5))}}, ""},
		{"ports that cannot be told", listing{}, listing{Note: "not here"}, "not here"},
	} {
		got := regexp.MustCompile(`since [0-9:]+`).ReplaceAllString(strings.Join(changes(&c.before, &c.now), "\n"), "since …")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What does not fit the window is cut, and that is said.
func TestAFrameFitsTheWindow(t *testing.T) {
	lines := []string{"one", "two two two", "three", "four"}
	for _, c := range []struct {
		name          string
		width, height int
		want          string
	}{
		{"room for all", 80, 24, "one|two two two|three|four"},
		{"too narrow", 5, 24, "one|two …|three|four"},
		{"too low", 80, 4, "one|two two two|… 2 more lines"},
		{"unknown", 0, 0, "one|two two two|three|four"},
	} {
		want := "\x1b[H" + strings.ReplaceAll(c.want, "|", "\x1b[K\n") + "\x1b[K\n\x1b[J"
		if got := frame(lines, c.width, c.height); got != want {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

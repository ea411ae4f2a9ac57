//go:build linux

package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// overTwo makes a plan one that goes over two local hubs.
func overTwo(p *Plan) *Plan {
	p.Hubs = []rigfile.Hub{{Name: "a", Kind: "local", Host: "a.example"}, {Name: "b", Kind: "local", Host: "b.example"}}
	return p
}

// A run over several hubs has an entry for each on every device, and a device is
// at one of them at a time.
func TestADeviceGoesOverTheHubsInTurn(t *testing.T) {
	s := supervisor(t, "normal")
	under := map[string]string{} // device: the entry that runs
	s.Observe = func(e record.Event) {
		device, _, _ := strings.Cut(e.Device, "@")
		switch e.Kind {
		case KindChildStarted:
			under[device] = e.Device
		case record.KindSpecStarted:
			if under[device] != e.Device {
				t.Errorf("%s begins while %s runs", e.Device, under[device])
			}
		}
	}
	res := run1(t, s, overTwo(plan(t, "one", "two")))
	var names []string
	for _, d := range res.Record.Devices {
		names = append(names, d.Name)
		if verdicts(d) != "pass pass pass pass" || d.Board()+"@"+d.Hub.Name != d.Name || d.Hub.Kind != "local" {
			t.Errorf("%s: %s at %+v", d.Name, verdicts(d), d.Hub)
		}
		if _, err := os.Stat(filepath.Join(res.Dir, "devices", d.Name, "child.log")); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"one@a", "one@b", "two@a", "two@b"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// What became of a device at one hub is no verdict at the next.
func TestAChildThatDiesAtOneHubLeavesTheOther(t *testing.T) {
	s := supervisor(t, "dies-at-a")
	res := run1(t, s, overTwo(plan(t, "one")))
	if a := res.Record.Device("one@a"); a.Verdict.Green() {
		t.Errorf("one@a: %s", a.Verdict)
	}
	if b := res.Record.Device("one@b"); verdicts(*b) != "pass pass pass pass" {
		t.Errorf("one@b: %s", verdicts(*b))
	}
}

// A repeated run over several hubs is summed up by entry.
func TestRoundsOverSeveralHubs(t *testing.T) {
	p := overTwo(plan(t, "one"))
	p.Repeat = 2
	res := run1(t, supervisor(t, "normal"), p)
	for _, d := range res.Record.Devices {
		if len(d.Specs[0].Rounds) != 2 || d.Hub.Name == "" {
			t.Errorf("%s: %+v at %+v", d.Name, d.Specs[0].Rounds, d.Hub)
		}
	}
	back, err := Rebuild(res.Dir)
	if err != nil || len(back.Devices) != 2 || back.Devices[1].Hub != res.Record.Devices[1].Hub {
		t.Errorf("%v; %+v", err, back)
	}
}

// A board dials what is set in it: only a command can lead it elsewhere.
func TestWhichDeviceCanGoOverSeveralHubs(t *testing.T) {
	a, b := rigfile.Hub{Name: "a", Kind: "local", Host: "hub.rig.lan"}, rigfile.Hub{Name: "b", Kind: "local", Host: "hub.rig.lan"}
	elsewhere, port := b, b
	elsewhere.Host, port.Port = "b.rig.lan", 8884
	send := func(lines ...string) rigfile.Commands {
		var c rigfile.Commands
		for _, l := range lines {
			c.BeforeRun = append(c.BeforeRun, rigfile.Command{Send: l})
		}
		return c
	}
	for name, c := range map[string]struct {
		to       rigfile.Hub
		commands rigfile.Commands
		emulated bool
		wrong    string
	}{
		"the same address":                {to: b},
		"another host":                    {to: elsewhere, wrong: "ads300-a: it dials one host name: a is at hub.rig.lan, b at b.rig.lan"},
		"another host, set by a command":  {to: elsewhere, commands: send("HOST {hub_host}")},
		"another port":                    {to: port, wrong: "ads300-a: it dials one port: a is at 8883, b at 8884"},
		"another port, a command for one": {to: port, commands: send("HOST {hub_host}"), wrong: "one port"},
		"another port, set by a command":  {to: port, commands: send("PORT {hub_port}")},
		"an emulated device":              {to: elsewhere, emulated: true},
	} {
		d := rigfile.Device{Name: "ads300-a", HubPort: 8883, Serial: rigfile.Serial{Path: "/dev/ttyUSB0"}, Type: rigfile.Type{Commands: c.commands}}
		if c.emulated {
			d.Serial = rigfile.Serial{Emulated: &rigfile.Emulated{}}
		}
		err := checkWays([]rigfile.Hub{a, c.to}, []rigfile.Device{d})
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.wrong != "" && (record.ClassOf(err) != record.Usage || err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: got %v, want %q", name, err, c.wrong)
		}
	}
}

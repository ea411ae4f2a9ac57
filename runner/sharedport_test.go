//go:build linux

package runner

import (
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// onePort makes a plan's devices dial one port, each from its address where it
// is given one.
func onePort(t *testing.T, p *Plan, from ...string) (*Plan, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	p.Hubs = []rigfile.Hub{{Name: "local", Kind: "local", Host: "localhost", Listen: "127.0.0.1"}}
	for i := range p.Devices {
		p.Devices[i].HubPort = port
		if i < len(from) {
			p.Devices[i].From = from[i]
		}
	}
	return p, p.Hubs[0].Endpoint(p.Devices[0])
}

func TestTheRecordSaysHowBoardsOfOnePortAreToldApart(t *testing.T) {
	p, at := onePort(t, plan(t, "one", "two", "three", "four"), "127.0.1.1", "127.0.1.2")
	res := run1(t, supervisor(t, "normal"), p)
	for i, want := range []*record.Shared{
		{Port: at, From: "127.0.1.1"}, {Port: at, From: "127.0.1.2"},
		{Port: at, Turns: []string{"three", "four"}}, {Port: at, Turns: []string{"three", "four"}},
	} {
		if got := res.Record.Devices[i]; !reflect.DeepEqual(got.Shared, want) || verdicts(got) != "pass pass pass pass" {
			t.Errorf("%s: %+v, want %+v (%s)", got.Name, got.Shared, want, verdicts(got))
		}
	}
	back, err := Rebuild(res.Dir)
	if err != nil || !reflect.DeepEqual(back.Devices[2].Shared, res.Record.Devices[2].Shared) {
		t.Errorf("rebuilt: %v, %+v", err, back)
	}
}

// Names tell boards of one address apart, but for those that dial several hubs
// there, and an IP address, which is no name.
func TestTheRecordSaysWhichBoardsAreToldApartByTheirHubsNames(t *testing.T) {
	local := func(name, host string) rigfile.Hub {
		return rigfile.Hub{Name: name, Kind: "local", Host: host, Listen: "127.0.0.1"}
	}
	all := []string{"one", "two", "three"}
	for what, c := range map[string]struct {
		hosts []string // of the devices
		other []rigfile.Hub
		names []string // that tell them apart
		turns [][]string
	}{
		"names of their own": {[]string{"a.lan", "b.lan"}, nil, []string{"a.lan", "b.lan", "hub.lan"}, [][]string{nil, nil, nil}},
		"two of one name":    {[]string{"a.lan", "a.lan"}, nil, []string{"a.lan", "a.lan", "hub.lan"}, [][]string{{"one", "two"}, {"one", "two"}, nil}},
		"an address":         {[]string{"a.lan", "192.0.2.1"}, nil, []string{"", "", ""}, [][]string{all, all, all}},
		"none":               {nil, nil, []string{"", "", ""}, [][]string{all, all, all}},
		"several hubs":       {[]string{"a.lan", "b.lan"}, []rigfile.Hub{local("spare", "spare.lan")}, []string{"", "", ""}, [][]string{all, all, all}},
	} {
		t.Run(what, func(t *testing.T) {
			p, at := onePort(t, plan(t, all...))
			p.Hubs = append([]rigfile.Hub{local("local", "hub.lan")}, c.other...)
			for i, host := range c.hosts {
				p.Devices[i].HubHost = host
			}
			ports := p.sharedPorts()
			for i, d := range p.Devices {
				want := &record.Shared{Port: at, Host: c.names[i], Turns: c.turns[i]}
				if got := ports.sharing(p.EntriesOf(d)[0]); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %+v, want %+v", d.Name, got, want)
				}
			}
		})
	}
}

func TestBoardsThatTookTurnsAreSaidToBeOfAddressesOfTheirOwn(t *testing.T) {
	for what, c := range map[string]struct {
		sources [][]string
		said    string // empty: nothing
	}{
		"each of its own":   {[][]string{{"192.0.2.1"}, {"192.0.2.2"}}, "one from 192.0.2.1, two from 192.0.2.2"},
		"one for both":      {[][]string{{"192.0.2.1"}, {"192.0.2.1"}}, ""},
		"one never came":    {[][]string{{"192.0.2.1"}, nil}, ""},
		"one that wanders":  {[][]string{{"192.0.2.1"}, {"192.0.2.2", "192.0.2.3"}}, ""},
		"nobody took turns": {nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			r := &record.Record{Devices: []record.DeviceRecord{{Name: "apart", Shared: &record.Shared{Port: "127.0.0.1:8883", From: "192.0.2.9"}}}}
			for i, sources := range c.sources {
				r.Devices = append(r.Devices, record.DeviceRecord{
					Name: []string{"one", "two"}[i], DeviceFacts: record.DeviceFacts{Sources: sources},
					Shared: &record.Shared{Port: "127.0.0.1:8883", Turns: []string{"one", "two"}},
				})
			}
			got := toldApart(r)
			if (c.said == "") != (len(got) == 0) || len(got) > 0 && !strings.Contains(got[0], c.said) {
				t.Errorf("said %q, want %q", got, c.said)
			}
		})
	}
}

// A board that waits until another has named its hub ends with the run.
func TestWhoWaitsToBeLetInEndsWithTheRun(t *testing.T) {
	p, _ := onePort(t, plan(t, "one", "two"))
	p.Devices[0].HubHost = "a.lan"
	s := supervisor(t, "polite")
	interrupts := make(chan os.Signal, 1)
	s.Signals = interrupts
	s.Observe = func(e record.Event) {
		if e.Kind == KindTurn {
			interrupts <- os.Interrupt
		}
	}
	res := run1(t, s, p)
	if !res.Record.Run.Interrupted {
		t.Error("nobody waited")
	}
	want := map[string]bool{"pass not-run pass pass": true, "not-run not-run not-run not-run": true} // whoever was first
	for _, d := range res.Record.Devices {
		if !want[verdicts(d)] {
			t.Errorf("%s: %s", d.Name, verdicts(d))
		}
		delete(want, verdicts(d))
	}
}

func TestABoardWithAPortOfItsOwnSharesNone(t *testing.T) {
	p, _ := onePort(t, plan(t, "one"))
	if len(p.sharedPorts()) != 0 {
		t.Error("a port for one board without from is shared")
	}
	p, at := onePort(t, plan(t, "one"), "127.0.1.1")
	if p.sharedPorts()[at] == nil {
		t.Error("a board that says where it dials from takes connections from anywhere")
	}
}

// A board of the rig file dials also when the run is not for it: what tells it
// from the one that runs keeps it out.
func TestABoardThatTheRunIsNotForIsKeptOut(t *testing.T) {
	for what, c := range map[string]struct {
		here, other rigfile.Device
		emulated    bool
		door        bool
		turns       bool // if the run were for both
	}{
		"it has an address of its own":        {other: rigfile.Device{From: "127.0.1.2"}, door: true},
		"the one that runs has":               {here: rigfile.Device{From: "127.0.1.2"}, door: true},
		"it names another hub":                {here: rigfile.Device{HubHost: "a.lan"}, other: rigfile.Device{HubHost: "b.lan"}, door: true},
		"nothing tells it apart":              {turns: true},
		"an emulated one has no life":         {other: rigfile.Device{From: "127.0.1.2"}, emulated: true},
		"it dials another port":               {other: rigfile.Device{From: "127.0.1.2", HubPort: 1}},
		"a third keeps names from telling it": {here: rigfile.Device{HubHost: "a.lan"}, other: rigfile.Device{HubHost: "192.0.2.1"}, turns: true},
	} {
		t.Run(what, func(t *testing.T) {
			p, at := onePort(t, plan(t, "here", "other"))
			for i, d := range []rigfile.Device{c.here, c.other} {
				p.Devices[i].From, p.Devices[i].HubHost = d.From, d.HubHost
				if d.HubPort != 0 {
					p.Devices[i].HubPort = d.HubPort
				}
				if i == 1 && c.emulated {
					p.Devices[i].Serial.Emulated = &rigfile.Emulated{}
				} else {
					p.Devices[i].Serial.Emulated = nil
				}
			}
			p.Around = slices.Clone(p.Devices)
			e := p.EntriesOf(p.Devices[0])[0]
			if s := p.sharedPorts().sharing(e); (s != nil && len(s.Turns) == 2) != c.turns {
				t.Errorf("with both: %+v", s)
			}
			p.Devices = p.Devices[:1]
			ports := p.sharedPorts()
			if got := ports[at] != nil; got != c.door {
				t.Errorf("a door: %v, want %v", got, c.door)
			}
			if s := ports.sharing(e); s != nil && s.Turns != nil {
				t.Errorf("alone it takes turns with %q", s.Turns)
			}
		})
	}
}

// Boards that nothing tells apart are never under way together; the others are
// not held up.
func TestBoardsThatNothingTellsApartTakeTurns(t *testing.T) {
	p, _ := onePort(t, plan(t, "one", "two", "three"))
	p.Jobs = 3
	s := supervisor(t, "normal")
	var running, most atomic.Int32
	s.Observe = func(e record.Event) {
		switch e.Kind {
		case KindChildStarted:
			most.Store(max(most.Load(), running.Add(1)))
		case record.KindChildEnded:
			running.Add(-1)
		}
	}
	res := run1(t, s, p)
	for _, d := range res.Record.Devices {
		if verdicts(d) != "pass pass pass pass" {
			t.Errorf("%s: %s", d.Name, verdicts(d))
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d at once, want one at a time", most.Load())
	}
}

// A port that somebody else has costs the boards that dial it.
func TestASharedPortThatIsTakenIsTheRigs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	p, _ := onePort(t, plan(t, "one", "two", "apart"), "127.0.1.1", "127.0.1.2")
	for i := range 2 {
		p.Devices[i].HubPort = l.Addr().(*net.TCPAddr).Port
	}
	res := run1(t, supervisor(t, "normal"), p)
	for i, want := range []string{"not-run", "not-run", "pass"} {
		d := res.Record.Devices[i]
		if got := string(d.Specs[0].Verdict); got != want {
			t.Errorf("%s: %s, want %s", d.Name, got, want)
		}
		if want == "not-run" && (d.Class != record.RigHub || !strings.Contains(d.Cause, "listen for the boards")) {
			t.Errorf("%s: %s %q", d.Name, d.Class, d.Cause)
		}
	}
}

func TestAConnectionOfNoBoardIsSaidInTheEvents(t *testing.T) {
	p, _ := onePort(t, plan(t, "one", "two"), "127.0.1.1", "127.0.1.2")
	res := run1(t, supervisor(t, "dials-its-port"), p)
	events, err := os.ReadFile(res.Dir + "/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(strings.Split(string(events), "\n"), func(line string) bool {
		return strings.Contains(line, KindStranger) && strings.Contains(line, "127.0.0.1")
	}) {
		t.Error("events.jsonl says nothing of it")
	}
}

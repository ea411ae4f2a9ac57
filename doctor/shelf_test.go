package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
)

// onShelf is a board with a line that may be opened.
func onShelf(t *testing.T, name string) rigfile.Device {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return rigfile.Device{Name: name, HubPort: 1, Type: rigfile.Infinite(), Serial: rigfile.Serial{Path: path}}
}

// asked is a power control that is read back by a command.
func asked(argv ...string) *rigfile.Power {
	way := rigfile.PowerAction{Argv: []string{"true"}}
	return &rigfile.Power{On: way, Off: way, State: &rigfile.PowerState{Ask: rigfile.PowerAction{Argv: argv}, On: "is on"}}
}

// controller switches by requests to a server.
func controller(server string) *rigfile.Power {
	to := func(path string) rigfile.PowerAction {
		return rigfile.PowerAction{Request: &rigfile.PowerRequest{URL: server + path}}
	}
	return &rigfile.Power{On: to("/on"), Off: to("/off")}
}

func TestEachPartOfABoardIsChecked(t *testing.T) {
	pdu := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a look switches") }))
	t.Cleanup(pdu.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	there, away := pdu.URL, gone.URL
	echoes := func(s string) string { return s + "\nERROR\r\n" }
	power := &rigfile.Power{On: rigfile.PowerAction{Argv: []string{"uhubctl", "on"}}, Off: rigfile.PowerAction{Argv: []string{"uhubctl", "off"}}}
	for _, c := range []struct {
		name   string
		change func(*rigfile.Device)
		host   Host
		check  string
		state  State
		says   string
	}{
		{"a line that echoes", func(*rigfile.Device) {}, Host{}, "line", OK, "none lost"},
		{"a line that is not there", func(d *rigfile.Device) { d.Serial.Path = "/dev/no-such-tty" }, Host{}, "line", Bad, "/dev/no-such-tty: no such file"},
		{"an emulated one", func(d *rigfile.Device) { d.Serial = rigfile.Serial{Emulated: &rigfile.Emulated{}} }, Host{}, "line", OK, "emulated"},
		{"no power control", func(*rigfile.Device) {}, Host{}, "power", "", ""},
		{"programs of power", func(d *rigfile.Device) { d.Power = power }, Host{}, "power", OK, "/usr/bin/uhubctl"},
		{"no program of power", func(d *rigfile.Device) { d.Power = power }, Host{Program: func(string) (string, error) { return "", exec.ErrNotFound }}, "power", Bad, "power of the device"},
		{"power that says it is on", func(d *rigfile.Device) { d.Power = asked("echo", "it is on") }, Host{}, "power", OK, "ok: on"},
		{"power that says it is off", func(d *rigfile.Device) { d.Power = asked("echo", "it is not") }, Host{}, "power", OK, "ok: off"},
		{"power that is on, as it is to be left", func(d *rigfile.Device) { d.Power = asked("echo", "it is on"); d.Power.Safe = rigfile.SafeOn }, Host{}, "power", OK, "ok: on"},
		{"power that a killed run left on", func(d *rigfile.Device) { d.Power = asked("echo", "it is on"); d.Power.Safe = rigfile.SafeOff }, Host{}, "power", Warn, "on, though safe is off"},
		{"power that a killed run left off", func(d *rigfile.Device) { d.Power = asked("echo", "it is not"); d.Power.Safe = rigfile.SafeOn }, Host{}, "power", Warn, "off, though safe is on"},
		{"power that is left as it is", func(d *rigfile.Device) { d.Power = asked("echo", "it is on"); d.Power.Safe = rigfile.SafeLeave }, Host{}, "power", OK, "ok: on"},
		{"power that cannot be asked", func(d *rigfile.Device) { d.Power = asked("false") }, Host{}, "power", Bad, "power state false"},
		{"a power controller that takes connections", func(d *rigfile.Device) { d.Power = controller(there) }, Host{}, "power", OK, there},
		{"a power controller that is away", func(d *rigfile.Device) { d.Power = controller(away) }, Host{}, "power", Bad, "reach power controller " + away},
		{"a power controller whose secret is not set", func(d *rigfile.Device) {
			d.Power = controller(there)
			d.Power.On.Request.Headers = []rigfile.Header{{Name: "Authorization", ValueEnv: "NO_SUCH_VARIABLE"}}
		}, Host{}, "power", Bad, "NO_SUCH_VARIABLE"},
		{"no flashing", func(*rigfile.Device) {}, Host{}, "flash", "", ""},
		{"nobody asks what was flashed", func(d *rigfile.Device) {
			d.Type.Flash.Command, d.Type.Commands.FirmwareVersion = []string{"esptool"}, rigfile.FirmwareVersion{Boot: `app (\S+)`}
		}, Host{}, "flash", Bad, "commands.firmware_version"},
		{"nobody need ask", func(d *rigfile.Device) {
			d.Type.Flash, d.Type.Commands.FirmwareVersion = rigfile.Flash{Command: []string{"esptool"}, Verify: rigfile.VerifyNone}, rigfile.FirmwareVersion{}
		}, Host{}, "flash", OK, "/usr/bin/esptool"},
		{"a flash tool", func(d *rigfile.Device) {
			d.Type.Flash.Command, d.Type.Commands.FirmwareVersion.Send = []string{"esptool"}, "VERSION"
		}, Host{}, "flash", OK, "/usr/bin/esptool"},
		{"no flash tool", func(d *rigfile.Device) { d.Type.Flash.Command = []string{"esptool"} }, Host{Program: func(string) (string, error) { return "", exec.ErrNotFound }}, "flash", Bad, "flash.command"},
		{"a hub's name that leads nowhere", func(*rigfile.Device) {}, Host{Rig: &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "no-such-host.invalid", Listen: "127.0.0.1"}}}, "hub", Bad, "DNS"},
		{"no address, at a port of its own", func(*rigfile.Device) {}, Host{}, "from", "", ""},
		{"an address", func(d *rigfile.Device) { d.From = "192.0.2.21" }, Host{}, "from", OK, "192.0.2.21"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := onShelf(t, "a")
			c.change(&d)
			if c.host.Rig == nil {
				c.host.Rig = &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "hub.rig.lan", Listen: "127.0.0.1"}}
			}
			c.host.Rig.Devices, c.host.LockDir, c.host.Open = []rigfile.Device{d}, t.TempDir(), board(t, echoes)
			boards := ExamineBoards(t.Context(), lab(c.host))
			if len(boards) != 1 || boards[0].Device != "a" {
				t.Fatalf("%+v", boards)
			}
			var found []Result
			for _, r := range boards[0].Checks {
				if r.Name == c.check {
					found = append(found, r)
				}
			}
			_, words := worst(found)
			if got := Worst(found); got != c.state || !strings.Contains(words, c.says) {
				t.Errorf("%s, want %s with %q:\n%s", got, c.state, c.says, words)
			}
		})
	}
}

// Boards at one port that nothing tells apart take turns, and that is said of
// each of them.
func TestBoardsThatTakeTurnsAreSaid(t *testing.T) {
	rig := &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "hub.rig.lan", Listen: "127.0.0.1"}}
	for _, name := range []string{"a", "b", "c"} {
		rig.Devices = append(rig.Devices, rigfile.Device{Name: name, HubPort: 1, Serial: rigfile.Serial{Emulated: &rigfile.Emulated{}}})
	}
	rig.Devices[2].From = "192.0.2.21"
	for i, b := range ExamineBoards(t.Context(), lab(Host{Rig: rig})) {
		state, words := worst(b.Checks)
		if turns := strings.Contains(words, "take turns"); turns != (i < 2) || turns && (state != Warn && state != Bad) {
			t.Errorf("%s: %s\n%s", b.Device, state, words)
		}
	}
}

// Boards at one port that name hubs of their own are told apart by that, and each
// name is looked up.
func TestBoardsThatNameHubsOfTheirOwnTakeNoTurns(t *testing.T) {
	rig := &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "hub.rig.lan", Listen: "127.0.0.1"}}
	for _, host := range []string{"", "cloud.rig.lan"} {
		rig.Devices = append(rig.Devices, rigfile.Device{Name: strings.TrimSuffix("on-"+host, ".rig.lan"), HubHost: host, HubPort: 1, Serial: rigfile.Serial{Emulated: &rigfile.Emulated{}}})
	}
	for i, b := range ExamineBoards(t.Context(), lab(Host{Rig: rig})) {
		_, words := worst(b.Checks)
		own, other := "hub.rig.lan", "cloud.rig.lan"
		if i == 1 {
			own, other = other, own
		}
		if strings.Contains(words, "take turns") || !strings.Contains(words, "by the name "+own) || !strings.Contains(words, own+" is [") || strings.Contains(words, other) {
			t.Errorf("%s:\n%s", b.Device, words)
		}
	}
}

// Twenty lines are tried at once: each waits until all of them are open.
func TestTheBoardsOfAShelfAreTriedAtOnce(t *testing.T) {
	const most = 20
	rig := &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "hub.rig.lan", Listen: "127.0.0.1"}}
	for range most {
		rig.Devices = append(rig.Devices, onShelf(t, "a"))
	}
	var open atomic.Int32
	all := make(chan struct{})
	wait := func(ctx context.Context, _ port.Config) (console.Line, error) {
		if open.Add(1) == most {
			close(all)
		}
		select {
		case <-all:
			return nil, errors.New("all were open")
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	var tried atomic.Int32
	for _, b := range ExamineBoards(t.Context(), lab(Host{Rig: rig, LockDir: t.TempDir(), Open: wait, Tried: func(string) { tried.Add(1) }})) {
		if _, words := worst(b.Checks); !strings.Contains(words, "all were open") {
			t.Errorf("%s", words)
		}
	}
	if n := tried.Load(); n != most {
		t.Errorf("%d of %d were told of", n, most)
	}
}

// A name that leads to this machine alone is one that emulated devices can dial:
// the boards beside them cannot.
func TestALoopbackNameIsNoTroubleOfEmulatedDevices(t *testing.T) {
	rig := &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "localhost", Listen: "127.0.0.1"}, Devices: []rigfile.Device{
		{Name: "emulated", Serial: rigfile.Serial{Emulated: &rigfile.Emulated{}}}, onShelf(t, "board"),
	}}
	h := lab(Host{Rig: rig, LockDir: t.TempDir(), Resolve: func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }})
	for i, b := range ExamineBoards(t.Context(), h) {
		if _, words := worst(b.Checks); strings.Contains(words, "only to this machine") != (i == 1) {
			t.Errorf("%s:\n%s", b.Device, words)
		}
	}
}

// Names are looked up at once, and beside the lines: each waits for all others,
// and for the line.
func TestASilentNameServerCostsNobodyElsesTime(t *testing.T) {
	rig := &rigfile.Rig{Hub: rigfile.Hub{Kind: rigfile.KindLocal, Host: "hub.rig.lan", Listen: "127.0.0.1"}}
	for i := range 10 {
		d := onShelf(t, fmt.Sprint("b", i))
		d.HubHost = d.Name + ".rig.lan"
		rig.Devices = append(rig.Devices, d)
	}
	var asked atomic.Int32
	all, opened := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h := lab(Host{Rig: rig, LockDir: t.TempDir()})
	h.Open = func(context.Context, port.Config) (console.Line, error) {
		once.Do(func() { close(opened) })
		return nil, errors.New("not today")
	}
	h.Resolve = func(ctx context.Context, _ string) ([]string, error) {
		if asked.Add(1) == 10 {
			close(all)
		}
		for _, c := range []chan struct{}{all, opened} {
			select {
			case <-c:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		return []string{"192.0.2.1"}, nil
	}
	for _, b := range ExamineBoards(t.Context(), h) {
		if _, words := worst(b.Checks); strings.Contains(words, "does not resolve") {
			t.Errorf("%s:\n%s", b.Device, words)
		}
	}
}

// A run that has the board switches it as its specs want.
func TestThePowerOfABoardThatARunHasIsNoMatterOfSafe(t *testing.T) {
	d := onShelf(t, "a")
	d.Power = asked("echo", "it is on")
	d.Power.Safe = rigfile.SafeOff
	h := lab(Host{LockDir: t.TempDir()})
	if !h.unsafe(d, true) {
		t.Error("nobody has it: on is not safe")
	}
	l, err := port.Lock(h.LockDir, d.Serial.Path, "a run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	if h.unsafe(d, true) {
		t.Error("a run has it")
	}
}

// A board whose power is off is silent, and the adapter that the power feeds is
// not there: a run switches it on, and neither is a bad line.
func TestALineWithoutPowerIsNoBadOne(t *testing.T) {
	silent := func(string) string { return "" }
	echoes := func(s string) string { return s + "\nERROR\r\n" }
	lossy := func(s string) string { return strings.ReplaceAll(s, "k", "") }
	unread := &rigfile.Power{On: rigfile.PowerAction{Argv: []string{"true"}}, Off: rigfile.PowerAction{Argv: []string{"true"}}}
	safe := func(p *rigfile.Power, leave string) *rigfile.Power { q := *p; q.Safe = leave; return &q }
	for _, c := range []struct {
		name   string
		power  *rigfile.Power
		gone   bool
		answer func(string) string
		open   error // of the line
		state  State
		says   string
	}{
		{"gone, read back as off", asked("echo", "it is not"), true, nil, nil, Warn, "its power is off (power.state); a run switches it on"},
		{"gone, off by the rig file", safe(unread, rigfile.SafeOff), true, nil, nil, Warn, "its power is off (safe: off); a run switches it on"},
		{"gone, and its power is on", safe(asked("echo", "it is on"), rigfile.SafeOff), true, nil, nil, Bad, "no such file"},
		{"gone, and left on", safe(unread, rigfile.SafeOn), true, nil, nil, Bad, "no such file"},
		{"gone, and left as it was", safe(unread, rigfile.SafeLeave), true, nil, nil, Bad, "no such file"},
		{"gone, without a power control", nil, true, nil, nil, Bad, "no such file"},
		{"gone, and nobody can switch it", safe(asked("false"), rigfile.SafeOff), true, nil, nil, Warn, "its power is off (safe: off), and nobody can switch it on"},
		{"silent and off", asked("echo", "it is not"), false, silent, nil, Warn, "its power is off (power.state)"},
		{"silent and on", asked("echo", "it is on"), false, silent, nil, Warn, "the device says nothing"},
		{"it went meanwhile", asked("echo", "it is not"), false, nil, port.ErrMissing, Warn, "its power is off"},
		{"its adapter is unplugged", asked("echo", "it is not"), false, nil, port.ErrUnplugged, Warn, "its power is off"},
		{"somebody has it", asked("echo", "it is not"), false, nil, port.ErrBusy, Bad, "busy"},
		{"it may not be opened", asked("echo", "it is not"), false, nil, port.ErrPermission, Bad, "permission"},
		{"it echoes, whatever is said of its power", safe(unread, rigfile.SafeOff), false, echoes, nil, OK, "none lost"},
		{"it loses bytes, whatever is said", safe(unread, rigfile.SafeOff), false, lossy, nil, Bad, "bytes lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := onShelf(t, "a")
			d.Power, d.Type.Timing.BootWithin = c.power, 0
			if c.gone {
				d.Serial.Path += "-gone"
			}
			h := Host{Rig: &rigfile.Rig{Devices: []rigfile.Device{d}}, LockDir: t.TempDir(), Open: board(t, c.answer)}
			if c.open != nil {
				h.Open = func(context.Context, port.Config) (console.Line, error) { return nil, c.open }
			}
			var line []Result
			for _, r := range ExamineBoards(t.Context(), lab(h))[0].Checks {
				if r.Name == "line" {
					line = append(line, r)
				}
			}
			if _, words := worst(line); Worst(line) != c.state || !strings.Contains(words, c.says) {
				t.Errorf("%s, want %s with %q:\n%s", Worst(line), c.state, c.says, words)
			}
		})
	}
}

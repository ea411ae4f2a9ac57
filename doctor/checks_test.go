package doctor

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/port"
	"hilrig/hw/usb"
)

// worst is the gravest state among findings, and all their words.
func worst(found []Result) (state State, words string) {
	state = OK
	for _, f := range found {
		words += string(f.State) + ": " + f.What + " → " + f.Cure + "\n"
		if f.State == Bad || f.State == Warn && state == OK {
			state = f.State
		}
	}
	return state, words
}

func rigAt(host string, hubPort int) *rigfile.Rig {
	return &rigfile.Rig{
		Hub:     rigfile.Hub{Kind: rigfile.KindLocal, Host: host, Listen: "127.0.0.1"},
		Devices: []rigfile.Device{{Name: "a", HubPort: hubPort, Serial: rigfile.Serial{Path: "/dev/ttyNowhere"}}},
	}
}

// lab is a machine on which nothing is wrong but what the test says: what a
// test leaves out of a Host is the lab's.
func lab(h Host) *Host {
	known := map[string][]string{"localhost": {"127.0.0.1"}, "hub.rig.lan": {"192.0.2.10"}, "cloud.rig.lan": {"198.51.100.7"}}
	if h.Rig == nil {
		h.Rig = rigfile.Default()
	}
	h.Log = slog.New(slog.DiscardHandler)
	h.Addresses = func() []string { return []string{"127.0.0.1", "192.0.2.10"} }
	h.Resolve = func(_ context.Context, host string) ([]string, error) {
		if a := known[host]; a != nil {
			return a, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.ClockSynced == nil {
		h.ClockSynced = func() (synced, known bool) { return true, true }
	}
	if h.FreeBytes == nil {
		h.FreeBytes = func(string) (free uint64, known bool) { return 1 << 40, true }
	}
	if h.Program == nil {
		h.Program = func(name string) (string, error) { return "/usr/bin/" + name, nil }
	}
	if h.Rules == nil {
		h.Rules = func(context.Context) string { return "" }
	}
	if h.Listen == nil {
		h.Listen = new(net.ListenConfig).Listen
	}
	if h.Open == nil {
		h.Open = func(ctx context.Context, c port.Config) (console.Line, error) { return port.Open(ctx, c) }
	}
	return &h
}

func year(y int) func() time.Time {
	return func() time.Time { return time.Date(y, 5, 1, 0, 0, 0, 0, time.UTC) }
}

func TestEachCheckFindsItsFault(t *testing.T) {
	dir := t.TempDir()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port
	broken := filepath.Join(dir, "broken", "pki")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "root.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "ttyUSB1")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := []usb.Port{{Path: filepath.Join(dir, "ttyUSB0"), USB: true, VID: "0403", PID: "6001"}}
	free := func(n uint64, known bool) func(string) (uint64, bool) {
		return func(string) (uint64, bool) { return n, known }
	}
	clock := func(synced, known bool) func() (bool, bool) { return func() (bool, bool) { return synced, known } }
	device := func(s rigfile.Serial) *rigfile.Rig {
		rig := rigAt("localhost", 1)
		rig.Devices[0].Serial = s
		return rig
	}
	cloud, broker := rigAt("localhost", taken), rigAt("", 1)
	cloud.Hub.Kind, broker.Hub.Kind = rigfile.KindAzure, rigfile.KindBroker
	for _, c := range []struct {
		name  string
		check string
		host  Host
		state State
		says  string
	}{
		{"no port", "port", Host{}, OK, "no serial port"},
		{"ports cannot be listed", "port", Host{NoPorts: os.ErrNotExist}, Warn, "by path"},
		{"port may be opened", "port", Host{Ports: []usb.Port{{Path: there}}}, OK, "may be opened"},
		{"port may not be opened", "port", Host{Ports: gone}, Bad, "dialout"},
		{"port of no device of the rig", "port", Host{Rig: &rigfile.Rig{File: "rig.yaml"}, Ports: gone}, Warn, "dialout"},
		{"no lock folder", "lock folder", Host{LockDir: filepath.Join(dir, "none")}, Bad, "install -d -m 1777"},
		{"lock folder is a file", "lock folder", Host{LockDir: there}, Bad, "it is no folder"},
		{"lock folder of its own", "lock folder", Host{LockDir: dir}, Warn, "stands in for"},
		{"state there", "state folder", Host{StateDir: dir}, OK, dir},
		{"state to be made", "state folder", Host{StateDir: filepath.Join(dir, "x", "y")}, OK, "will be made"},
		{"state unknown", "state folder", Host{NoState: os.ErrNotExist}, Bad, "HILRIG_STATE"},
		{"built-in rig", "device", Host{}, OK, "emulated"},
		{"device there", "device", Host{Rig: device(rigfile.Serial{Path: there}), LockDir: dir}, OK, "can be reached"},
		{"device on the network", "device", Host{Rig: device(rigfile.Serial{URL: "tcp://h:1"}), LockDir: dir}, OK, "not tried"},
		{"device missing", "device", Host{Rig: rigAt("localhost", 1)}, Bad, "hilrig devices"},
		{"hub port free", "hub port", Host{}, OK, ""},
		{"hub port taken", "hub port", Host{Rig: rigAt("localhost", taken)}, Bad, "address already in use"},
		{"hub is another's", "hub port", Host{Rig: cloud}, OK, ""},
		{"host is an IP address", "hub host", Host{Rig: rigAt("192.0.2.1", 1)}, Warn, "SNI"},
		{"host does not resolve", "hub host", Host{Rig: rigAt("no-such-host.invalid", 1)}, Bad, "DNS"},
		{"host is this machine only", "hub host", Host{Rig: rigAt("localhost", 1)}, Warn, "a board cannot dial it"},
		{"host is this machine", "hub host", Host{Rig: rigAt("hub.rig.lan", 1)}, OK, "192.0.2.10"},
		{"host is another machine", "hub host", Host{Rig: rigAt("cloud.rig.lan", 1)}, Warn, "does not lead to this machine"},
		{"a broker has none", "hub host", Host{Rig: broker}, OK, ""},
		{"emulated dials this machine", "hub host", Host{}, OK, "localhost"},
		{"clock kept", "clock", Host{Now: year(leastYear)}, OK, "synchronised"},
		{"clock not kept", "clock", Host{Now: year(leastYear), ClockSynced: clock(false, true)}, Warn, "not synchronised"},
		{"clock that nobody knows of", "clock", Host{Now: year(leastYear), ClockSynced: clock(false, false)}, OK, "cannot be told"},
		{"clock never set", "clock", Host{Now: year(1970)}, Bad, "the clock says 1970-"},
		{"clock far ahead", "clock", Host{Now: year(2099)}, Bad, "would be refused"},
		{"no certificate yet", "certificates", Host{StateDir: filepath.Join(dir, "none")}, OK, "none yet"},
		{"broken root", "certificates", Host{StateDir: filepath.Join(dir, "broken")}, Bad, "root.pem"},
		{"openssl", "openssl", Host{}, OK, "/usr/bin/openssl"},
		{"no openssl", "openssl", Host{Program: func(string) (string, error) { return "", exec.ErrNotFound }}, Warn, "apt install openssl"},
		{"room", "disk", Host{Out: dir}, OK, "MB free for reports in " + dir},
		{"room for no soak", "disk", Host{Out: dir, FreeBytes: free(500<<20, true)}, Warn, "500 MB free"},
		{"no room", "disk", Host{Out: dir, FreeBytes: free(1<<20, true)}, Bad, "make room"},
		{"room that cannot be told", "disk", Host{Out: dir, FreeBytes: free(0, false)}, OK, ""},
		{"no line asked for", "line", Host{}, OK, ""},
		{"line missing", "line", Host{Line: "/dev/ttyNowhere", LockDir: dir}, Bad, "no such port"},
	} {
		t.Run(c.check+" "+c.name, func(t *testing.T) {
			for _, k := range checks {
				if k.name != c.check {
					continue
				}
				state, words := worst(k.look(t.Context(), lab(c.host)))
				if state != c.state || !strings.Contains(words, c.says) || c.says == "" && words != "" {
					t.Errorf("%s, want %s with %q:\n%s", state, c.state, c.says, words)
				}
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a state folder was made")
	}
}

// Each result carries the name of its check, in the order of the checks; this
// machine itself can be looked at.
func TestEveryCheckIsMadeOnThisMachine(t *testing.T) {
	h := ThisHost(slog.New(slog.DiscardHandler))
	h.Rig, h.StateDir, h.LockDir = rigfile.Default(), t.TempDir(), t.TempDir()
	at := -1
	for _, r := range Examine(t.Context(), h) {
		now := slices.Index(Names(), r.Name)
		if now < at || now < 0 || r.What == "" || !slices.Contains([]State{OK, Warn, Bad}, r.State) || (r.State == OK) != (r.Cure == "") {
			t.Errorf("after check %d: %+v", at, r)
		}
		at = now
	}
	if at < 0 {
		t.Error("no check said anything")
	}
}

func TestCertificateAboutToRunOut(t *testing.T) {
	dir := t.TempDir()
	id, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "d", Days: 100})
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		after time.Duration
		state State
		says  string
	}{
		{day, OK, "until"}, {80 * day, Warn, "runs out on"}, {120 * day, Warn, "ran out on"}, {-30 * day, Bad, "valid only from"},
	} {
		f := checkCertificate(filepath.Join(dir, "device.pem"), "cure", warn, time.Now().Add(c.after))
		if f.State != c.state || !strings.Contains(f.What, c.says) {
			t.Errorf("%s from now: %+v", c.after, f)
		}
	}
	// Nobody renews a device's own: with one that has run out it cannot work.
	if f := checkCertificate(filepath.Join(dir, "device.pem"), "cure", bad, time.Now().Add(120*day)); f.State != Bad {
		t.Errorf("a device's own, run out: %+v", f)
	}
	rig := rigAt("localhost", 1)
	rig.Devices[0].AfterRun = &rigfile.OwnFiles{Root: filepath.Join(dir, "none.pem"), Certificate: filepath.Join(dir, "device.pem")}
	state, words := worst(checkCertificates(t.Context(), lab(Host{Rig: rig, StateDir: dir})))
	if state != Bad || !strings.Contains(words, "none.pem") {
		t.Errorf("files of after_run: %s\n%s", state, words)
	}
}

// A hub's name that the DNS still gives to the cloud brings boards there.
func TestWhereTheHubsNameLeads(t *testing.T) {
	own := []string{"127.0.0.1", "192.0.2.10", "fe80::1"}
	for _, c := range []struct {
		name      string
		addresses []string
		own       []string
		elsewhere bool
	}{
		{"here", []string{"192.0.2.10"}, own, false},
		{"here too", []string{"198.51.100.7", "192.0.2.10"}, own, false},
		{"the cloud", []string{"198.51.100.7"}, own, true},
		{"this machine only, which is said otherwise", []string{"127.0.1.1"}, own, false},
		{"own addresses unknown", []string{"198.51.100.7"}, nil, false},
	} {
		if got := leadsElsewhere(c.addresses, c.own); got != c.elsewhere {
			t.Errorf("%s: elsewhere %v", c.name, got)
		}
	}
	for _, a := range ownAddresses() {
		if net.ParseIP(a) == nil {
			t.Errorf("own address %q", a)
		}
	}
}

package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/usb"
)

// worst is the gravest state among findings, and all their words.
func worst(found []finding) (state, words string) {
	state = stateOK
	for _, f := range found {
		words += f.State + ": " + f.What + " → " + f.Cure + "\n"
		if f.State == stateBad || f.State == stateWarn && state == stateOK {
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
	gone := []usb.Port{{Path: filepath.Join(dir, "ttyUSB0"), USB: true, VID: "0403", PID: "6001"}}
	for _, c := range []struct {
		name  string
		check string
		p     patient
		state string
		says  string
	}{
		{"no port", "port", patient{rig: rigfile.Default()}, stateOK, "no serial port"},
		{"ports cannot be listed", "port", patient{noPorts: os.ErrNotExist}, stateWarn, "by path"},
		{"port may not be opened", "port", patient{rig: rigfile.Default(), ports: gone}, stateBad, "dialout"},
		{"port of no device of the rig", "port", patient{rig: &rigfile.Rig{File: "rig.yaml"}, ports: gone}, stateWarn, "dialout"},
		{"no lock folder", "lock folder", patient{lockDir: filepath.Join(dir, "none")}, stateBad, "install -d -m 1777"},
		{"lock folder of its own", "lock folder", patient{lockDir: dir}, stateWarn, "stands in for"},
		{"state to be made", "state folder", patient{stateDir: filepath.Join(dir, "x", "y")}, stateOK, "will be made"},
		{"state unknown", "state folder", patient{noState: os.ErrNotExist}, stateBad, "HILRIG_STATE"},
		{"built-in rig", "device", patient{rig: rigfile.Default()}, stateOK, "emulated"},
		{"device missing", "device", patient{rig: rigAt("localhost", 1)}, stateBad, "hilrig devices"},
		{"hub port free", "hub port", patient{rig: rigfile.Default()}, stateOK, ""},
		{"hub port taken", "hub port", patient{rig: rigAt("localhost", taken)}, stateBad, "address already in use"},
		{"host is an IP address", "hub host", patient{rig: rigAt("192.0.2.1", 1)}, stateWarn, "SNI"},
		{"host does not resolve", "hub host", patient{rig: rigAt("no-such-host.invalid", 1)}, stateBad, "DNS"},
		{"host is this machine only", "hub host", patient{rig: rigAt("localhost", 1)}, stateWarn, "a board cannot dial it"},
		{"emulated dials this machine", "hub host", patient{rig: rigfile.Default()}, stateOK, "localhost"},
		{"no certificate yet", "certificates", patient{rig: rigfile.Default(), stateDir: filepath.Join(dir, "none")}, stateOK, "none yet"},
		{"broken root", "certificates", patient{rig: rigfile.Default(), stateDir: filepath.Join(dir, "broken")}, stateBad, "root.pem"},
		{"no line asked for", "line", patient{}, stateOK, ""},
		{"line missing", "line", patient{rig: rigfile.Default(), line: "/dev/ttyNowhere", lockDir: dir}, stateBad, "no such port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, k := range checks {
				if k.name != c.check {
					continue
				}
				state, words := worst(k.look(t.Context(), &c.p))
				if state != c.state || !strings.Contains(words, c.says) {
					t.Errorf("%s, want %s with %q:\n%s", state, c.state, c.says, words)
				}
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a state folder was made")
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
		state string
		says  string
	}{
		{day, stateOK, "until"}, {80 * day, stateWarn, "runs out on"}, {120 * day, stateWarn, "ran out on"}, {-30 * day, stateBad, "valid only from"},
	} {
		f := checkCertificate(filepath.Join(dir, "device.pem"), "cure", warn, time.Now().Add(c.after))
		if f.State != c.state || !strings.Contains(f.What, c.says) {
			t.Errorf("%s from now: %+v", c.after, f)
		}
	}
	// Nobody renews a device's own: with one that has run out it cannot work.
	if f := checkCertificate(filepath.Join(dir, "device.pem"), "cure", bad, time.Now().Add(120*day)); f.State != stateBad {
		t.Errorf("a device's own, run out: %+v", f)
	}
	rig := rigAt("localhost", 1)
	rig.Devices[0].AfterRun = &rigfile.Given{Root: filepath.Join(dir, "none.pem"), Certificate: filepath.Join(dir, "device.pem")}
	state, words := worst(checkCertificates(t.Context(), &patient{rig: rig, stateDir: dir}))
	if state != stateBad || !strings.Contains(words, "none.pem") {
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

func TestJudgeEcho(t *testing.T) {
	sent := []string{"#hilrig-00-abcdefghijklmnopqrst", "#hilrig-01-abcdefghijklmnopqrst"}
	for _, c := range []struct{ name, got, state, says string }{
		{"whole", sent[0] + "\r\nERROR\r\n" + sent[1] + "\r\n", stateOK, "62 bytes sent and echoed"},
		{"one byte lost", sent[0] + "\r\n" + sent[1][:5] + sent[1][6:] + "\r\n", stateBad, "1 of 62 bytes lost"},
		{"a line lost", sent[0] + "\r\n", stateBad, "31 of 62 bytes lost"},
		{"silent", "", stateWarn, "says nothing"},
		{"no echo", "ERROR\r\nERROR\r\n", stateWarn, "no echo to compare"},
	} {
		f := judgeEcho("tty", 115200, sent, []byte(c.got))
		if f.State != c.state || !strings.Contains(f.What, c.says) {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/azure/hub"
	"hilrig/record"
)

// shownAtTheDoor are ten faults that a hub shows to a board, most of them before
// anything but its source address tells who it is.
var shownAtTheDoor = []string{
	"tls/unknown-root", "tls/self-signed", "tls/wrong-name", "tls/expired", "tls/not-yet-valid",
	"tls/no-server-auth", "tls/not-a-ca", "tls/namesake-root", "tls/stolen-certificate", "recovery/server-disconnect",
}

// weakAtTheDoor is firmware that each of these faults alone turns red.
var weakAtTheDoor = map[string]string{
	"tls/wrong-name": "no-host-check", "tls/expired": "no-expiry-check", "tls/not-yet-valid": "no-not-before-check",
	"tls/no-server-auth": "no-purpose-check", "tls/not-a-ca": "no-ca-check", "tls/namesake-root": "namesake-root",
	"tls/stolen-certificate": "skips-signature",
}

// boardAtTheDoor is one of a shelf, and the one spec that its firmware fails.
type boardAtTheDoor struct {
	name, from, host, fault, red string
	turns                        int // boards that it takes turns with, itself among them
}

// shelfAtTheDoor is of n boards, every second with firmware that is weak in one
// thing.
func shelfAtTheDoor(n int, from string) (boards []boardAtTheDoor) {
	for i := range n {
		b := boardAtTheDoor{name: fmt.Sprintf("board-%d", i+1)}
		if from != "" {
			b.from = fmt.Sprintf(from, i+1)
		} else {
			b.turns = n
		}
		if i%2 == 1 {
			b.red = shownAtTheDoor[2+i/2%len(weakAtTheDoor)]
			b.fault = weakAtTheDoor[b.red]
		}
		boards = append(boards, b)
	}
	return boards
}

// Every board of a shelf meets every fault that is shown to it, and none that is
// shown to a neighbour: all at once where source addresses or the names of their
// hubs tell the boards apart, in turns where nothing does.
func TestAShelfAtOneFrontDoor(t *testing.T) {
	t.Parallel()
	for name, boards := range map[string][]boardAtTheDoor{
		"twenty boards, each from its address": shelfAtTheDoor(20, "127.0.1.%d"),
		"four boards that nothing tells apart": shelfAtTheDoor(4, ""),
		"one address, several hubs": {
			{name: "names-a", host: "a.rig.lan", fault: "no-host-check", red: "tls/wrong-name"},
			{name: "names-none", host: "b.rig.lan", fault: "no-sni", red: "tls/server-name"},
			{name: "names-c", host: "c.rig.lan", fault: "no-ca-check", red: "tls/not-a-ca"},
			{name: "names-d", host: "d.rig.lan", turns: 2},
			{name: "names-d-too", host: "d.rig.lan", fault: "no-expiry-check", red: "tls/expired", turns: 2},
			{name: "from-elsewhere", host: "d.rig.lan", from: "127.0.1.9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			port := int(netip.MustParseAddrPort(freeAddress(t)).Port()) // the run's, from now on
			rig := "hub: {listen: 127.0.0.1}\ndevices:\n"
			for _, b := range boards {
				rig += fmt.Sprintf("  - {name: %s, device_id: Id-%[1]s, from: %q, hub_host: %q, hub_port: %d, serial: {emulated: {fault: [%s]}}}\n", b.name, b.from, b.host, port, b.fault)
			}
			rig = strings.NewReplacer(`from: "", `, "", `hub_host: "", `, "").Replace(rig)
			if err := os.WriteFile(filepath.Join(dir, "rig.yaml"), []byte(rig), 0o600); err != nil {
				t.Fatal(err)
			}
			in(t, dir, "hilrig run --rig rig.yaml --out out --spec tls/server-name --spec "+strings.Join(shownAtTheDoor, " --spec "), 1)
			run := filepath.Join(dir, "out", "latest")
			r, err := record.Load(filepath.Join(run, record.RecordFile))
			if err != nil {
				t.Fatal(err)
			}
			met := 0
			for _, b := range boards {
				met += b.met(t, filepath.Join(run, "devices", b.name))
				d := r.Device(b.name)
				named := b.host
				if b.from != "" {
					named = "" // its address is enough
				}
				if s := d.Shared; s.From != b.from || s.Host != named || len(s.Turns) != b.turns {
					t.Errorf("%s: the record says of its port %+v", b.name, d.Shared)
				}
				if want := cmp.Or(b.from, "127.0.0.1"); !slices.Equal(d.Sources, []string{want}) {
					t.Errorf("%s: the record says that it came from %q, want %s", b.name, d.Sources, want)
				}
				for _, s := range d.Specs {
					if red := s.Verdict != record.Pass; red != (s.ID == b.red) {
						t.Errorf("%s with %q: %s: %s: %s%s", b.name, b.fault, s.ID, s.Verdict, s.Message, s.Cause)
					}
				}
			}
			if want := len(boards) * len(shownAtTheDoor); met != want {
				t.Errorf("%d faults were met, want %d", met, want)
			}
		})
	}
}

// met counts the specs whose fault this board was shown, by what the hub of its
// folder saw. Each connection there is its own, and none that it made is missing:
// its firmware counts them too.
func (b boardAtTheDoor) met(t *testing.T, dir string) int {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "timeline.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	specs, own, strange := map[string]bool{}, map[int]bool{}, 0
	for lines := json.NewDecoder(file); lines.More(); {
		var e record.Event
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		var of struct {
			Conn   int    `json:"conn"`
			Remote string `json:"remote"`
		}
		switch hub.EventKind(e.Kind) {
		case hub.KindAccepted:
			if err := e.Decode(&of); err != nil {
				t.Fatal(err)
			}
			own[of.Conn] = true
			if b.from != "" && !strings.HasPrefix(of.Remote, b.from+":") {
				strange++
			}
		case hub.KindFaultShown:
			if err := e.Decode(&of); err != nil {
				t.Fatal(err)
			}
			if own[of.Conn] {
				specs[e.Spec] = true
			}
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	var ends []string // as the firmware tells of them
	unmade := 0       // of them, those that may have been given up before there was a connection
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, `msg="not connected"`) {
			ends = append(ends, line)
			if strings.Contains(line, "session=false") && (strings.Contains(line, "ordered at the terminal") || strings.Contains(line, "dial tcp")) {
				unmade++
			}
		}
	}
	ended := len(ends)
	if strange > 0 || len(own) < ended-unmade || len(own) > ended+1 { // the last may live to the end
		t.Errorf("%s: %d connections at its hub, %d of them a neighbour's; its firmware ended %d:\n%s", b.name, len(own), strange, ended, strings.Join(ends, ""))
	}
	return len(specs)
}

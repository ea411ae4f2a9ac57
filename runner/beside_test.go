//go:build linux

package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// Boards that only a certificate could tell apart must not have the same one,
// whatever the names of its files.
func TestBoardsOfOneCertificate(t *testing.T) {
	file := func(name string, of *certs.Identity) *rigfile.Identity {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, of.CertificatePEM, 0o600); err != nil {
			t.Fatal(err)
		}
		return &rigfile.Identity{Certificate: path}
	}
	one, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "One"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		first, second *rigfile.Identity
		from          string // of the second
		refused       bool
	}{
		"the same":                 {file("a.pem", one), file("b.pem", one), "", true},
		"the same, told by from":   {file("a.pem", one), file("b.pem", one), "192.0.2.1", false},
		"of its own":               {file("a.pem", one), file("b.pem", other), "", false},
		"one from the run":         {file("a.pem", one), nil, "", false},
		"a file that is not there": {file("a.pem", one), &rigfile.Identity{Certificate: "/nowhere/a.pem"}, "", false},
	} {
		r := request()
		r.Rig.Devices = nil
		for i, id := range []*rigfile.Identity{c.first, c.second} {
			d := rigfile.Device{Name: []string{"a", "b"}[i], DeviceID: []string{"A", "B"}[i], HubPort: 8883, Identity: id, TypeName: "infinite", Type: rigfile.Default().Devices[0].Type}
			if i == 1 {
				d.From = c.from
			}
			r.Rig.Devices = append(r.Rig.Devices, d)
		}
		for _, asked := range [][]string{nil, {"a"}} {
			r.Devices = asked
			_, err := NewPlan(r)
			if (err != nil) != c.refused || c.refused && (record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "a and b") || !strings.Contains(err.Error(), "from (its source address)")) {
				t.Errorf("%s, asked for %q: %v", what, asked, err)
			}
		}
	}
}

// A board that was listened for in vain is not listened for in each turn; one that
// was heard since, or had a turn of its own in which it came, is again.
func TestWhoIsSilentIsListenedForOnce(t *testing.T) {
	type turn struct {
		of     string
		came   bool
		silent []string // by client id
	}
	for what, c := range map[string]struct {
		turns []turn
		want  []string // by client id, for the turn of a
	}{
		"none was before":        {nil, nil},
		"two are":                {[]turn{{"d", true, []string{"B", "C"}}}, []string{"B", "C"}},
		"one was heard since":    {[]turn{{"d", true, []string{"B", "C"}}, {"d", true, []string{"C"}}}, []string{"C"}},
		"one had its turn":       {[]turn{{"d", true, []string{"B", "C"}}, {"b", true, []string{"C"}}}, []string{"C"}},
		"one did not come in it": {[]turn{{"d", true, []string{"B", "C"}}, {"b", false, nil}}, []string{"B", "C"}},
	} {
		p, _ := onePort(t, plan(t, "a", "b", "c", "d"))
		for i := range p.Devices {
			p.Devices[i].Serial.Emulated, p.Devices[i].DeviceID = nil, strings.ToUpper(p.Devices[i].Name)
			p.Devices[i].Type.MQTT.ClientID = "{device_id}"
		}
		p.Around = p.Devices
		r := &run{plan: p, silent: map[string]bool{}}
		for _, was := range c.turns {
			dev := record.DeviceRecord{Name: was.of, DeviceFacts: record.DeviceFacts{Silent: was.silent}}
			if was.came {
				dev.Sources = []string{"192.0.2.1"}
			}
			i := slices.IndexFunc(p.Devices, func(d rigfile.Device) bool { return d.Name == was.of })
			r.heardBeside(&recorder{book: newBook(&record.Record{Devices: []record.DeviceRecord{dev}})}, p.EntriesOf(p.Devices[i])[0])
		}
		ids, silent := r.besideOf(p.EntriesOf(p.Devices[0])[0])
		if !slices.Equal(ids, []string{"B", "C", "D"}) || !slices.Equal(silent, c.want) {
			t.Errorf("%s: beside a are %q, and %q not listened for, want %q", what, ids, silent, c.want)
		}
	}
}

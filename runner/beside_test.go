//go:build linux

package runner

import (
	"os"
	"path/filepath"
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

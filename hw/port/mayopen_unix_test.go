//go:build unix

package port

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The advice fits whoever the device node belongs to.
func TestTheCureOfAPortFitsItsOwner(t *testing.T) {
	for want, o := range map[string]nodeAccess{
		"sudo usermod -aG dialout $USER, then log in again":  {user: "root", group: "dialout", shared: true, mode: 0o660},
		"sudo usermod -aG uucp $USER, then log in again":     {user: "root", group: "uucp", shared: true, mode: 0o660},
		"in the group uucp and this session began before":    {user: "root", group: "uucp", shared: true, joined: true, mode: 0o660},
		"it is root's alone (group root, mode 0660)":         {user: "root", group: "root", root: true, shared: true, mode: 0o660},
		"it is qa's alone (group qa, mode 0600)":             {user: "qa", group: "qa", mode: 0o600},
		"SUBSYSTEM==\"tty\", GROUP=\"dialout\", MODE=\"0660": {user: "root", group: "dialout", mode: 0o640},
	} {
		if got := permissionCure(o); !strings.Contains(got, want) {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "ttyX")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := PermissionCure(file); !strings.Contains(got, "alone (group ") || !strings.Contains(got, "mode 0600") {
		t.Errorf("a file of mine: %s", got)
	}
	if got := PermissionCure(filepath.Join(t.TempDir(), "gone")); !strings.Contains(got, "-aG dialout ") {
		t.Errorf("one that is not there: %s", got)
	}
}

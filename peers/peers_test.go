package peers_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/peers"
)

// lacking is a test that notes how it ended.
type lacking struct{ end string }

func (*lacking) Helper()             {}
func (l *lacking) Fatal(args ...any) { l.end = "failed: " + fmt.Sprintln(args...) }
func (l *lacking) Skip(args ...any)  { l.end += "skipped: " + fmt.Sprintln(args...) }

func TestAMissingPeerIsAFailureInCIAlone(t *testing.T) {
	for _, c := range []struct{ ci, name, want string }{
		{"", "sh", ""},
		{"true", "sh", ""},
		{"", "no-such-program", "skipped: peer not installed: no-such-program\n"},
		{"true", "no-such-program", "failed: peer not installed: no-such-program\n"},
	} {
		t.Setenv("CI", c.ci)
		var l lacking
		path := peers.Find(&l, c.name)
		if got, _, _ := strings.Cut(l.end, "\n"); got != strings.TrimSpace(c.want) || (path != "") != (c.want == "") || path != "" && !filepath.IsAbs(path) {
			t.Errorf("CI=%q, %s: %q, %q", c.ci, c.name, path, l.end)
		}
	}
}

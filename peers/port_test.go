package peers_test

import (
	"net"
	"strings"
	"testing"

	"hilrig/peers"
)

// A port that somebody else has is a missing peer; a free one is free still.
func TestAPortThatIsTaken(t *testing.T) {
	holder, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := holder.Addr().(*net.TCPAddr).Port
	for ci, want := range map[string]string{"": "skipped: ", "true": "failed: "} {
		t.Setenv("CI", ci)
		var l lacking
		if peers.Port(&l, port); !strings.HasPrefix(l.end, want) || !strings.Contains(l.end, "which the peer dials") {
			t.Errorf("CI=%q: %q", ci, l.end)
		}
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	var l lacking
	address := peers.Port(&l, port)
	if again, err := net.Listen("tcp", address); l.end != "" || err != nil {
		t.Errorf("%q, %v", l.end, err)
	} else if err := again.Close(); err != nil {
		t.Error(err)
	}
}

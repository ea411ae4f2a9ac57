package wording

import "testing"

// A cause that is told twice has other numbers the second time.
func TestCausesAreComparedWithoutTheirNumbers(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"the same", "no connection", "no connection", true},
		{"seconds", "no telemetry within 18s; saw 22 sessions", "no telemetry within 4.5s; saw 3 sessions", true},
		{"a port", "no connection at localhost:33907", "no connection at localhost:40001", true},
		{"a thumbprint", "saw E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3E5A3", "saw 0123456789ABCDEF0123456789ABCDEF01234567", true},
		{"line ends", "no telemetry\nin 3 s", "no telemetry in 4 s", true},
		{"another thing", "no telemetry in 3 s", "no session in 3 s", false},
		{"a number and none", "try 3 failed", "try failed", false},
		{"nothing", "", "no session", false},
	} {
		if got := SameCause(c.a, c.b); got != c.same {
			t.Errorf("%s: %q and %q: got %v, want %v", c.name, c.a, c.b, got, c.same)
		}
	}
}

package iothub

import (
	"strings"
	"testing"
	"time"
)

func TestAMarkFitsAndIsReadBack(t *testing.T) {
	until := time.Date(2026, 11, 27, 13, 30, 0, 5, time.UTC)
	for _, c := range []struct{ rig, run, want string }{
		{"bench-1", "20261127T120000Z-abcd", "hilrig bench-1 20261127T120000Z-abcd 2026-11-27T13:30:00Z"},
		{"", "", "hilrig - - 2026-11-27T13:30:00Z"},
		{"two words", "r", "hilrig two_words r 2026-11-27T13:30:00Z"},
		{strings.Repeat("r", 100), strings.Repeat("n", 100), ""},
	} {
		m := NewMark(c.rig, c.run, until)
		if c.want != "" && m.String() != c.want {
			t.Errorf("%q, want %q", m, c.want)
		}
		if back, is := ParseMark(m.String()); !is || back != m {
			t.Errorf("%q is read as %q", m, back)
		}
		if n := len(m.String()); n > mostMark {
			t.Errorf("%q has %d characters", m, n)
		}
	}
	if a, b := NewMark(strings.Repeat("r", 100)+"a", "", until), NewMark(strings.Repeat("r", 100)+"b", "", until); a == b {
		t.Errorf("two rigs have the mark %q", a)
	}
	for _, reason := range []string{"", "hilrig", "hilrig a b c", "lab 3 uses it today", "hilrig  b 2026-11-27T13:30:00Z now"} {
		if m, is := ParseMark(reason); is {
			t.Errorf("%q is read as %q", reason, m)
		}
	}
}

func TestWhoMayTakeAMarkedDevice(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, rig string
		expires   time.Duration
		taken     bool
	}{
		{"the same rig", "a", time.Hour, false},
		{"another rig", "b", time.Hour, true},
		{"another rig, whose time is over", "b", -time.Hour, false},
	} {
		if why := NewMark("a", "r", now.Add(c.expires)).taken(c.rig, now); (why != "") != c.taken {
			t.Errorf("%s: %q", c.name, why)
		}
	}
}

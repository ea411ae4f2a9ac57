package console

import (
	"bytes"
	"crypto/rand"
	"testing"
)

func TestALineAtAnotherRateIsToldFromText(t *testing.T) {
	noise := make([]byte, 1000)
	_, _ = rand.Read(noise) // never fails
	for name, c := range map[string]struct {
		received []byte
		want     bool
	}{
		"an answer":             {[]byte("9270,10\r\nERROR: unknown\r\n"), true},
		"coloured":              {[]byte("\x1b[32mI (123) wifi: up\x1b[0m\r\n"), true},
		"a bit lost":            {append(bytes.Repeat([]byte("log "), 10), 0x80, 0xff), true},
		"noise":                 {noise, false},
		"a few bytes of no use": {[]byte{0xaa, 0xb9, 0xac}, false},
	} {
		if got := readable(c.received); got != c.want {
			t.Errorf("%s: readable %v", name, got)
		}
	}
}

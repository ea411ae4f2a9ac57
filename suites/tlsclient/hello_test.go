package tlsclient

import (
	"strings"
	"testing"

	"hilrig/azure/tlswire"
)

func good() *tlswire.ClientHello {
	return &tlswire.ClientHello{
		Version: 0x0303, Compression: []byte{0}, SecureRenegotiation: true,
		SignatureAlgorithms: []uint16{0x0401, 0x0804}, Groups: []uint16{23, 29}, PointFormats: []byte{0},
	}
}

// Each weakness is found, and a good hello has none.
func TestWeaknesses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*tlswire.ClientHello)
		says   string // empty: no finding
	}{
		{"good", func(*tlswire.ClientHello) {}, ""},
		{"compression", func(h *tlswire.ClientHello) { h.Compression = []byte{1, 0} }, "compression method 1"},
		{"SSL 2 form", func(h *tlswire.ClientHello) { h.SSLv2 = true }, "SSL 2"},
		{"SSL 3 at most", func(h *tlswire.ClientHello) { h.Version = 0x0300 }, "SSL 3"},
		{"SSL 3 among others", func(h *tlswire.ClientHello) { h.Versions = []uint16{0x0303, 0x0300} }, "SSL 3"},
		{"no secure renegotiation", func(h *tlswire.ClientHello) { h.SecureRenegotiation = false }, "RFC 5746"},
		{"its signalling suite", func(h *tlswire.ClientHello) { h.SecureRenegotiation = false; h.Suites = []uint16{0x00ff} }, ""},
		{"TLS 1.3 needs none", func(h *tlswire.ClientHello) { h.SecureRenegotiation = false; h.Versions = []uint16{0x0304, 0x3a3a} }, ""},
		{"MD5", func(h *tlswire.ClientHello) { h.SignatureAlgorithms = []uint16{0x0401, 0x0101} }, "MD5"},
		{"SHA-1 alone", func(h *tlswire.ClientHello) { h.SignatureAlgorithms = []uint16{0x0201} }, "no RSA signature over SHA-256"},
		{"no signature algorithms", func(h *tlswire.ClientHello) { h.SignatureAlgorithms = nil }, "means SHA-1"},
		{"a small group", func(h *tlswire.ClientHello) { h.Groups = []uint16{23, 15} }, "less than 112 bits"},
		{"no group of the hub's", func(h *tlswire.ClientHello) { h.Groups = []uint16{256} }, "none of the groups"},
		{"no groups: any", func(h *tlswire.ClientHello) { h.Groups = nil }, ""},
		{"compressed points only", func(h *tlswire.ClientHello) { h.PointFormats = []byte{1} }, "uncompressed points"},
		{"cut short", func(h *tlswire.ClientHello) { h.Malformed = "extensions end early" }, "extensions end early"},
	} {
		h := good()
		c.change(h)
		found := weaknesses(h)
		if said := strings.Join(found, "; "); c.says == "" && said != "" || !strings.Contains(said, c.says) || c.says != "" && len(found) != 1 {
			t.Errorf("%s: got %q, want %q", c.name, said, c.says)
		}
	}
}

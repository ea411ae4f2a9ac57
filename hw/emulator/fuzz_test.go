package emulator

import (
	"bytes"
	"os"
	"testing"
)

func FuzzCheckFile(f *testing.F) {
	root, err := os.ReadFile("testdata/root.pem")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(slotRoot, string(root))
	f.Add(slotKey, "-----BEGIN PRIVATE KEY-----\n")
	f.Add(slotCertificate, "")
	f.Fuzz(func(t *testing.T, slot int, data string) {
		if r := check(slot, data); r == nil && slot != slotKey && len(certificates(data)) == 0 {
			t.Errorf("took %q, which has no certificate", data)
		}
	})
}

func FuzzCutPacket(f *testing.F) {
	f.Add([]byte{0x32, 5, 0, 1, 't', 0, 7})
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := cutPacket(b)
		if err != nil || p == nil {
			return
		}
		p.id()
		again, none, err := cutPacket(p.bytes())
		if err != nil || again == nil || len(none) != 0 || !bytes.Equal(again.body, p.body) || len(rest) >= len(b) {
			t.Errorf("% x: % x, rest % x", b, p.bytes(), rest)
		}
	})
}

func FuzzHandshakeMessages(f *testing.F) {
	f.Add([]byte{2, 0, 0, 1, 9, 11, 0, 1}, []byte{0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		h := &handshake{b: &behaviour{}}
		for _, r := range [][]byte{first, second} {
			for _, m := range h.messages(r) {
				if m.whole && len(m.body) != m.size {
					t.Errorf("% x: %+v", r, m)
				}
				_ = failOnSuite(1)(h, r, []message{m})
			}
		}
	})
}

package console

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// fuzzKey is a key whose text is always the same.
func fuzzKey() string {
	var raw []byte
	for i := byte(0); len(raw) < 1200; i++ {
		sum := sha256.Sum256([]byte{i})
		raw = append(raw, sum[:]...)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// stream makes bytes of a line out of a fuzzer's: text as it is, and after a
// 0xff, or a 0xfe, a piece of the key or a pause.
func stream(in []byte, key string) (parts [][]byte, pauses []bool) {
	for len(in) > 0 {
		switch {
		case in[0] == 0xff && len(in) >= 4:
			from := (int(in[1])<<8 | int(in[2])) % len(key)
			parts = append(parts, []byte(key[from:min(len(key), from+int(in[3]))]))
			pauses = append(pauses, false)
			in = in[4:]
		case in[0] == 0xfe:
			if len(pauses) > 0 {
				pauses[len(pauses)-1] = true
			}
			in = in[1:]
		default:
			n := bytes.IndexAny(in[1:], "\xff\xfe") + 1
			if n == 0 {
				n = len(in)
			}
			parts = append(parts, in[:n])
			pauses = append(pauses, false)
			in = in[n:]
		}
	}
	return parts, pauses
}

// pieceIn reports whether a text has a piece of the key, white space and control
// bytes left out.
func pieceIn(text []byte, key string) bool {
	var run []byte
	for _, c := range text {
		switch {
		case code(c) >= 0:
			if run = append(run, c); len(run) >= gram && strings.Contains(key, string(run[len(run)-gram:])) {
				return true
			}
		case c > ' ' && c != 0x7f:
			run = run[:0]
		}
	}
	return false
}

// anyPiece reports whether a text has the least piece of a key, in any coding.
func anyPiece(text []byte, known *secrets) bool {
	any := false
	m := newMasker(known, func(byte, bool, time.Time) {}, func(coding, uint64) {})
	for _, c := range text {
		m.feed([]byte{c}, time.Time{})
		for _, r := range m.recognisers {
			any = any || r.n > 0 && r.at(0).known
		}
	}
	return any
}

// No piece of a known key is shown, whatever is around and between; a text
// without one is shown as it is; no byte is lost.
func FuzzMasker(f *testing.F) {
	f.Add([]byte("COMMAND PROCESSED OK\r\n"))
	f.Add([]byte("\xff\x00\x00\xf0\r\n\xff\x00\xf0\xf0*"))
	f.Add([]byte("a\xff\x00\x05\x08\xfe\xff\x00\x0d\x08\xfe\xff\x00\x15\x08\xfeb"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("\xff\x00\x20\x0b\n\n\n\xff\x00\x2b\x01"))
	key := fuzzKey()
	known := newSecrets()
	known.add([]byte(key))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 4096 {
			return
		}
		var shown, all []byte
		var original []byte
		m := newMasker(known, func(b byte, masked bool, _ time.Time) {
			all = append(all, b)
			if masked {
				b = '#' // ends a run, as the mask's text does
			}
			shown = append(shown, b)
		}, func(coding, uint64) {})
		at := time.Unix(0, 0)
		parts, pauses := stream(in, key)
		for i, p := range parts {
			m.feed(p, at)
			original = append(original, p...)
			if pauses[i] {
				m.flush()
				at = at.Add(silence)
			}
		}
		m.flush()
		if !bytes.Equal(all, original) {
			t.Fatalf("in %q, out %q", original, all)
		}
		if pieceIn(shown, key) {
			t.Fatalf("a piece of the key is shown: %q", shown)
		}
		if !anyPiece(original, known) && !bytes.Contains(original, append([]byte(nil), "PRIVATE KEY-"...)) && !bytes.Equal(shown, original) {
			t.Fatalf("nothing to hide, but %q became %q", original, shown)
		}
	})
}

// The printable form is one printable line and can be read back.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"COMMAND PROCESSED OK\r\n", "\x00\xff\\n\t\"", "°\xc2", "\u2028\u202e\ufffd\U000e0001", "\xed\xa0\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := string(appendPrintable(nil, in))
		if strings.ContainsAny(out, "\r\n\t\x00\x1b\x7f\u2028\u202e") || strings.ToValidUTF8(out, "") != out {
			t.Fatalf("%q is not printable", out)
		}
		if back := unprintable(t, out); back != string(in) {
			t.Fatalf("%q became %q became %q", in, out, back)
		}
	})
}

// However a stream is cut up, a search finds what it finds in one piece.
func FuzzSearch(f *testing.F) {
	f.Add([]byte("xxCOMMAND PROCESSED OKyy"), []byte("OK"), uint8(3))
	f.Add([]byte("aaab"), []byte("aab"), uint8(1))
	f.Fuzz(func(t *testing.T, in, want []byte, step uint8) {
		if len(want) == 0 || len(in) > 4096 {
			return
		}
		n := int(step)%16 + 1
		s, a := newSearch(0, []Matcher{Text(string(want)), Text("never\x00\x01")}), newAnswers(0, &echo{}, string(want))
		whole := bytes.Index(in, want)
		var m, answer Match
		var ok, answered bool
		for end := 0; end <= len(in) && !ok; end += n {
			m, ok = s.next(in[:end], 0)
			answer, answered = a.next(received{b: in[:end]})
		}
		if !ok {
			m, ok = s.next(in, 0)
			answer, answered = a.next(received{b: in})
		}
		if ok != (whole >= 0) || answered != ok {
			t.Fatalf("found %v and %v, is at %d", ok, answered, whole)
		}
		if ok && (m.Start != Cursor(whole) || m.End != Cursor(whole+len(want)) || m.Text != string(want) || answer.Start != m.Start) {
			t.Fatalf("found %+v and %+v, is at %d", m, answer, whole)
		}
	})
}

// BenchmarkTranscript is what masking and writing cost, with twenty known keys.
func BenchmarkTranscript(b *testing.B) {
	key := aKey().pkcs8
	for name, data := range map[string]string{"certificate": aKey().certificate, "key": key, "log": strings.Repeat("[12.345] wifi: connected to hub, rssi -61\r\n", 30)} {
		b.Run(name, func(b *testing.B) {
			tr := NewTranscript(io.Discard, record.ClockAt(time.Now()))
			for i := range 20 {
				tr.Secret([]byte(key[i:]))
			}
			tr.Secret([]byte(fuzzKey()))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				tr.Add(Received, []byte(data), time.Now())
			}
		})
	}
}

// Whatever of a key is printed, in whatever coding and cut up anywhere, no more
// than a few bytes in a row can be read.
func FuzzCodings(f *testing.F) {
	f.Add(uint8(0), uint16(0), uint16(200), uint64(1))
	f.Add(uint8(20), uint16(300), uint16(700), uint64(2))
	known := newSecrets()
	known.add([]byte(aKey().pkcs8))
	block, _ := pem.Decode([]byte(aKey().pkcs1))
	key := parsed(block.Bytes).(*rsa.PrivateKey)
	body := block.Bytes[bytes.Index(block.Bytes, key.D.Bytes()):]
	all := renderings()
	names := slices.Sorted(maps.Keys(all))
	f.Fuzz(func(t *testing.T, which uint8, from, length uint16, seed uint64) {
		name := names[int(which)%len(names)]
		b := body[int(from)%len(body):]
		got := all[name](b[:min(len(b), int(length))])
		shown := play(t, known, got.text, rand.New(rand.NewPCG(seed, 7)))
		if row, all := mostShown(shown, got.at); row >= 16 || all > 32 {
			t.Fatalf("%s: %d bytes in a row are shown, %d in all\n%s", name, row, all, sketch(got.text, shown))
		}
	})
}

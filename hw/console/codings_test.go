package console

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// rendering is what a device prints of some bytes, with the stretch of text
// that each of them stands in.
type rendering struct {
	text []byte
	at   [][2]int // by byte: its stretch, and where there is one that of its character beside it
	also [][2]int
}

func (r *rendering) add(s string) { r.text = append(r.text, s...) }

func (r *rendering) token(s string) {
	r.at = append(r.at, [2]int{len(r.text), len(r.text) + len(s)})
	r.add(s)
}

// tokens prints each byte by itself, and something between them.
func tokens(format, between string, perLine int) func([]byte) *rendering {
	return func(b []byte) *rendering {
		r := &rendering{}
		r.add("key: ")
		for i, c := range b {
			if i > 0 && perLine > 0 && i%perLine == 0 {
				r.add("\r\n")
			}
			r.token(fmt.Sprintf(format, c))
			r.add(between)
		}
		r.add("\r\n")
		return r
	}
}

// dump prints lines with an address before the bytes and their text behind.
func dump(address string, perLine, group int, text string) func([]byte) *rendering {
	return func(b []byte) *rendering {
		r := &rendering{}
		for i := 0; i < len(b); i += perLine {
			line := b[i:min(len(b), i+perLine)]
			r.add(fmt.Sprintf(address, i))
			for j, c := range line {
				if j%group == 0 {
					r.add(" ")
				}
				r.token(fmt.Sprintf("%02x", c))
			}
			if text != "" {
				r.add("  " + text)
				for _, c := range line {
					if c < ' ' || c > '~' {
						c = '.'
					}
					r.also = append(r.also, [2]int{len(r.text), len(r.text) + 1})
					r.add(string(rune(c)))
				}
			}
			r.add("\r\n")
		}
		return r
	}
}

// words prints little-endian words of n bytes.
func words(format string, n int) func([]byte) *rendering {
	return func(b []byte) *rendering {
		r := &rendering{}
		for i := 0; i+n <= len(b); i += n {
			v := uint64(0)
			for j := n - 1; j >= 0; j-- {
				v = v<<8 | uint64(b[i+j])
			}
			s := fmt.Sprintf(format, v)
			for range n {
				r.at = append(r.at, [2]int{len(r.text), len(r.text) + len(s)})
			}
			r.add(s)
			if r.add(" "); i/n%8 == 7 {
				r.add("\n")
			}
		}
		return r
	}
}

// base64Of prints base64 that begins so many bytes before, wrapped.
func base64Of(e *base64.Encoding, shift, wrap int, prefix, suffix string) func([]byte) *rendering {
	return func(b []byte) *rendering {
		text := e.EncodeToString(append(bytes.Repeat([]byte{7}, shift), b...))
		r := &rendering{}
		place := make([]int, len(text))
		for i := range text {
			if i%wrap == 0 {
				if i > 0 {
					r.add(suffix)
				}
				r.add(prefix)
			}
			place[i] = len(r.text)
			r.add(text[i : i+1])
		}
		r.add(suffix)
		for i := range b {
			bit := 8 * (shift + i)
			r.at = append(r.at, [2]int{place[bit/6], place[(bit+7)/6] + 1})
		}
		return r
	}
}

// escaped prints as a program prints a string.
func escaped(b []byte) *rendering {
	r := &rendering{}
	r.add("b'")
	for _, c := range b {
		switch {
		case c == '\\' || c == '\'':
			r.token("\\" + string(rune(c)))
		case c == '\n':
			r.token("\\n")
		case c == '\r':
			r.token("\\r")
		case c == '\t':
			r.token("\\t")
		case c < ' ' || c > '~':
			r.token(fmt.Sprintf("\\x%02x", c))
		default:
			r.token(string(rune(c)))
		}
	}
	r.add("'\r\n")
	return r
}

// renderings are the codings in which a device may print bytes.
func renderings() map[string]func([]byte) *rendering {
	std, url := base64.StdEncoding, base64.RawURLEncoding
	return map[string]func([]byte) *rendering{
		"raw":                tokens("%c", "", 0),
		"hex":                tokens("%02x", "", 0),
		"hex, upper case":    tokens("%02X", "", 0),
		"hex with blanks":    tokens("%02x", " ", 16),
		"hex with colons":    tokens("%02x", ":", 15),
		"hex, narrow":        tokens("%02x", "", 4),
		"hex, one a line":    tokens("%02x", "", 1),
		"hex without zeros":  tokens("0x%x", ", ", 16),
		"C array":            tokens("0x%02x", ", ", 12),
		"C array, tight":     tokens("0X%02X", ",", 16),
		"C string":           tokens("\\x%02x", "", 20),
		"with log prefix":    tokens("%02x", " ", 0),
		"percent":            tokens("%%%02X", "", 0),
		"decimal":            tokens("%d", ", ", 0),
		"decimal, lines":     tokens("%d", "\r\n", 0),
		"octal":              tokens("%03o", " ", 16),
		"C string, octal":    tokens("\\%03o", "", 0),
		"hexdump -C":         dump("%08x ", 16, 1, "|"),
		"xxd":                dump("%08x:", 16, 2, " "),
		"xxd -c 8":           dump("%08x:", 8, 2, " "),
		"xxd -c 4":           dump("%08x:", 4, 2, " "),
		"xxd -c 6 -g 1":      dump("%08x:", 6, 1, " "),
		"ESP_LOG_BUFFER_HEX": dump("\x1b[0;32mI (%d) tag:", 16, 1, ""),
		"gdb x/8xb":          dump("0x3ffb%04x:\t", 8, 1, ""),
		"words of two":       words("%04x", 2),
		"words of four":      words("0x%08x", 4),
		"words of eight":     words("0x%016x,", 8),
		"escaped":            escaped,
		"base64":             base64Of(std, 0, 64, "", "\n"),
		"base64, one later":  base64Of(std, 1, 76, "", "\r\n"),
		"base64, two later":  base64Of(std, 2, 64, "", "\r\n"),
		"base64 for urls":    base64Of(url, 1, 1<<20, "", ""),
		"base64 in a log":    base64Of(std, 0, 32, "[12.345] ", "\r\n"),
		"base64 in a string": base64Of(std, 0, 64, `"`, `\n"`+"\n"),
		"base64, colours":    base64Of(std, 0, 64, "\x1b[32m", "\x1b[0m\r\n"),
		"base64, very short": base64Of(std, 0, 3, "", "\r\n"),
	}
}

// play feeds a text to a masker, cut up anywhere, and tells which bytes of it
// are shown.
func play(t *testing.T, known *secrets, text []byte, r *rand.Rand) (shown []bool) {
	t.Helper()
	var out []byte
	m := newMasker(known, func(b byte, masked bool, _ time.Time) {
		out, shown = append(out, b), append(shown, !masked)
	}, func(coding, uint64) {})
	for rest := text; len(rest) > 0; {
		n := min(len(rest), 1+r.IntN(60))
		m.feed(rest[:n], time.Time{})
		rest = rest[n:]
	}
	m.flush()
	if !bytes.Equal(out, text) {
		t.Fatalf("%d bytes came, %d went", len(text), len(out))
	}
	return shown
}

func allShown(shown []bool, at [2]int) bool {
	for i := at[0]; i < at[1]; i++ {
		if !shown[i] {
			return false
		}
	}
	return true
}

// mostShown is how many bytes in a row, and in all, can be read.
func mostShown(shown []bool, at [][2]int) (row, all int) {
	n := 0
	for _, a := range at {
		if n++; !allShown(shown, a) {
			n = 0
		} else {
			all++
		}
		row = max(row, n)
	}
	return row, all
}

type secretForm struct {
	name  string
	bytes []byte
}

// secretForms are what of a key a device may print: no byte of them is public.
func secretForms(t *testing.T, key string) []secretForm {
	t.Helper()
	block, _ := pem.Decode([]byte(key))
	k, ok := parsed(block.Bytes).(*rsa.PrivateKey)
	if !ok {
		t.Fatal("no RSA key")
	}
	pkcs1 := x509.MarshalPKCS1PrivateKey(k)
	body := base64Text([]byte(key))
	return []secretForm{
		{"der", pkcs1[bytes.Index(pkcs1, k.D.Bytes()):]},
		{"d", k.D.Bytes()}, {"p", k.Primes[0].Bytes()}, {"q", k.Primes[1].Bytes()}, {"qinv", k.Precomputed.Qinv.Bytes()},
		{"text", []byte(key)[bytes.Index([]byte(key), body[:60])+420 : strings.Index(key, "-----END")]},
	}
}

// What can be read of a key in any coding are too few bytes in a row to be of
// use, and not many of those.
func TestNoCodingShowsAKey(t *testing.T) {
	for _, of := range secretForms(t, aKey().pkcs1) {
		given := aKey().pkcs8
		if of.name == "d" {
			given = aKey().pkcs1
		}
		known := newSecrets()
		known.add([]byte(given))
		for name, render := range renderings() {
			if of.name == "text" && (strings.HasPrefix(name, "base64") || name == "raw" || name == "escaped") {
				continue // the text as it is has tests of its own
			}
			got := render(of.bytes)
			shown := play(t, known, got.text, rand.New(rand.NewPCG(1, 2)))
			row, all := mostShown(shown, got.at)
			rowBeside, besides := mostShown(shown, got.also)
			if row >= 12 || all > 24 || rowBeside >= 12 || besides > 24 {
				t.Errorf("%s as %s: %d bytes in a row are shown, %d of %d in all; beside it %d and %d\n%.600s",
					of.name, name, row, all, len(got.at), rowBeside, besides, sketch(got.text, shown))
			}
		}
	}
}

// sketch is a text with what is masked as #.
func sketch(text []byte, shown []bool) string {
	out := bytes.Clone(text)
	for i := range out {
		if !shown[i] {
			out[i] = '#'
		}
	}
	return string(appendPrintable(nil, out))
}

// The whole numbers of a key, as a big-number library prints them.
func TestNoNumberOfAKeyIsShown(t *testing.T) {
	block, _ := pem.Decode([]byte(aKey().pkcs8))
	k := parsed(block.Bytes).(*rsa.PrivateKey)
	known := newSecrets()
	known.add([]byte(aKey().pkcs8))
	for name, text := range map[string]string{
		"d": fmt.Sprintf("d=%d\r\n", k.D), "p in hex": fmt.Sprintf("p=%x\r\n", k.Primes[0]), "q": fmt.Sprintf("%d", k.Primes[1]),
		"odd hex": fmt.Sprintf("a%x", k.D), "wrapped": strings.Join(wrapped(k.D.String(), 20), "\r\n"),
		"lowest first": fmt.Sprintf("%x", reversed(k.D.Bytes())),
	} {
		shown := play(t, known, []byte(text), rand.New(rand.NewPCG(1, 1)))
		n := 0
		for _, s := range shown {
			if s {
				n++
			}
		}
		if n > 60 {
			t.Errorf("%s: %d of %d characters are shown\n%s", name, n, len(text), sketch([]byte(text), shown))
		}
	}
}

func wrapped(s string, n int) (lines []string) {
	for ; len(s) > n; s = s[n:] {
		lines = append(lines, s[:n])
	}
	return append(lines, s)
}

func reversed(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] = b[len(b)-1-i]
	}
	return out
}

// A line that loses one byte in seven leaves pieces of half a dozen characters:
// the key is known by them all the same.
func TestALossyLineShowsNoKey(t *testing.T) {
	key := aKey().pkcs8
	known := newSecrets()
	known.add([]byte(key))
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		whole := base64Of(base64.StdEncoding, 0, 64, "", "\r\n")
		block, _ := pem.Decode([]byte(key))
		got := whole(block.Bytes)
		var lossy []byte
		kept := make([]int, len(got.text))
		for i, c := range got.text {
			kept[i] = -1
			if r.IntN(7) > 0 {
				kept[i] = len(lossy)
				lossy = append(lossy, c)
			}
		}
		shown := play(t, known, lossy, r)
		n := 0
		for i := range got.text {
			if i > 420 && kept[i] >= 0 && shown[kept[i]] && code(got.text[i]) >= 0 {
				n++
			}
		}
		if n > 150 {
			t.Errorf("seed %d: %d of %d characters are shown\n%s", seed, n, len(lossy), sketch(lossy, shown))
		}
	}
}

// What is no key stays readable: certificates, also of the key's own public
// half, public keys and requests in any coding, and what devices print all day.
func TestWhatIsNoKeyIsShown(t *testing.T) {
	k := aKey()
	known := newSecrets()
	for range 30 { // a long run
		other, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(other)
		if err != nil {
			t.Fatal(err)
		}
		known.add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	known.add([]byte(k.pkcs8))
	known.add([]byte(k.pkcs1))
	block, _ := pem.Decode([]byte(k.pkcs8))
	key := parsed(block.Bytes).(*rsa.PrivateKey)
	certificate, _ := pem.Decode([]byte(k.certificate))
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.CreateCertificateRequest(crand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	noise := make([]byte, 8<<10)
	for i := range noise {
		noise[i] = byte(r.IntN(256))
	}
	texts := map[string][]byte{
		"modulus": fmt.Appendf(nil, "n=%d\r\nn=%x\r\n", key.N, key.N),
		"log":     []byte(strings.Repeat("[12.345] wifi: connected to hub 192.168.1.17, rssi -61, heap 0x3ffb2c40 free 204812\r\nI (3034) deadbeef: OK\r\n", 200)),
		"pem":     []byte(k.certificate),
	}
	for name, render := range renderings() {
		for what, b := range map[string][]byte{"certificate": certificate.Bytes, "public key": public, "request": request, "noise": noise, "certificate text": []byte(k.certificate)} {
			texts[what+" as "+name] = render(b).text
		}
	}
	for name, text := range texts {
		shown := play(t, known, text, r)
		for i, s := range shown {
			if !s {
				t.Errorf("%s is masked at byte %d of %d\n%.800s", name, i, len(text), sketch(text[max(0, i-100):], shown[max(0, i-100):]))
				break
			}
		}
	}
}

// One piece of a key, again and again, is no key: a certificate with the same
// words in each of its names is of few pieces, and one of them is in some key.
func TestAPieceThatRepeatsIsNoKey(t *testing.T) {
	known := newSecrets()
	known.add([]byte(aKey().pkcs8))
	block, _ := pem.Decode([]byte(aKey().pkcs8))
	k := parsed(block.Bytes).(*rsa.PrivateKey)
	d, text := k.D.String(), base64Text([]byte(aKey().pkcs8))
	for name, piece := range map[string]string{
		"digits": d[100:108], "digits among letters": strings.Join(strings.Split(d[300:308], ""), "xQ"),
		"text": string(text[500:505]), "hex": fmt.Sprintf("%x", k.D.Bytes()[40:44]),
	} {
		line := strings.Repeat(piece+" ", 40)
		if shown := play(t, known, []byte(line), rand.New(rand.NewPCG(2, 2))); !allShown(shown, [2]int{0, len(line)}) {
			t.Errorf("%s: %s", name, sketch([]byte(line), shown))
		}
	}
}

// What has no piece of a key is written when its line ends, though it may begin
// like one. (The length in a key's head, 4 and 162 to 166, differs by the key.)
func TestALineIsNotHeldBackForTheNext(t *testing.T) {
	p := &paper{}
	tr := NewTranscript(p, record.ClockAt(time.Now()))
	tr.Secret([]byte(aKey().pkcs8))
	for _, line := range []string{okText, "SEND FILE...", "[12.3] feed: dead beef", "30 82 04", "key 48, 130, 4, 12", "MIIE", "\x1b[0m$", `\x30`, "%30", "\xc3"} {
		before := p.String()
		tr.Add(Received, []byte(line+"\r\n"), time.Now())
		if got := strings.TrimPrefix(p.String(), before); !strings.Contains(got, `\r\n`) {
			t.Errorf("%q is held back: %q", line, got)
		}
	}
}

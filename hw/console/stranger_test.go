package console

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

// strangers are private keys in each form that a library writes.
func strangers(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	add := func(name string, key any) {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		all[name+" PKCS#8"] = der
		switch k := key.(type) {
		case *rsa.PrivateKey:
			all[name+" PKCS#1"] = x509.MarshalPKCS1PrivateKey(k)
		case *ecdsa.PrivateKey:
			if all[name+" SEC1"], err = x509.MarshalECPrivateKey(k); err != nil {
				t.Fatal(err)
			}
		}
	}
	add("RSA 2048", parsed(decoded([]byte(aKey().pkcs8), nil)))
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, crand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		add(curve.Params().Name, key)
	}
	_, ed, err := ed25519.GenerateKey(crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	add("Ed25519", ed)
	x, err := ecdh.X25519().GenerateKey(crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	add("X25519", x)
	return all
}

// A key that this run does not know is masked from its head on, whatever its
// form, as text and in hex; what comes before and behind it is shown.
func TestAStrangersKeyIsMaskedByItsHead(t *testing.T) {
	for name, der := range strangers(t) {
		b64 := base64.StdEncoding.EncodeToString(der)
		for how, said := range map[string]string{
			"base64":                   "key=" + b64,
			"base64, in quotes":        `{"key": "` + b64 + `"}`,
			"base64 for addresses":     "key: " + base64.RawURLEncoding.EncodeToString(der),
			"base64 in lines of 64":    "key:\r\n" + inLines(b64, 64, ""),
			"base64 behind a log head": inLines(b64, 64, "I (3034) tls: "),
			"hex":                      "key: " + string(tokens("%02x", "", 0)(der).text[5:]),
			"HEX with blanks":          "key: " + string(tokens("%02X", " ", 0)(der).text[5:]),
			"hex, in C":                "key: " + string(tokens("0x%02x", ", ", 12)(der).text[5:]),
		} {
			p := &paper{}
			tr := NewTranscript(p, record.ClockAt(time.Now()))
			tr.Add(Received, []byte("[1.0] before\r\n"+strings.TrimRight(said, "\r\n")+"\r\n"), time.Now())
			tr.Add(Received, []byte("[9.9] wifi: connected, rssi -61\r\n"), time.Now().Add(maxSilence+time.Second))
			tr.Flush()
			head := len(der) / 6
			if head > 24 {
				head = 24
			}
			if shown := shownOf(p.String(), der[head:]); shown != "" {
				t.Errorf("%s as %s shows %q:\n%.900s", name, how, shown, p)
			}
			for _, want := range []string{"before", "[key masked: ", "wifi: connected, rssi -61"} {
				if !strings.Contains(p.String(), want) {
					t.Errorf("%s as %s: %q is missing:\n%.900s", name, how, want, p)
				}
			}
		}
	}
}

// inLines cuts a text into lines that begin with something.
func inLines(text string, width int, before string) (out string) {
	for len(text) > 0 {
		n := min(width, len(text))
		out += before + text[:n] + "\r\n"
		text = text[n:]
	}
	return out
}

// shownOf is a piece of eight bytes of it that a text shows, in hex or base64.
func shownOf(text string, der []byte) string {
	plain := strings.NewReplacer("0x", "", ", ", "", " ", "", "-", "+", "_", "/").Replace(strings.ToLower(text))
	for i := 0; i+8 <= len(der); i++ {
		piece := der[i : i+8]
		for _, v := range aligned(piece) {
			if w := string(letters(v)); strings.Contains(strings.NewReplacer("-", "+", "_", "/").Replace(text), w) {
				return w
			}
		}
		if w := strings.TrimSpace(strings.TrimPrefix(string(tokens("%02x", "", 0)(piece).text), "key: ")); strings.Contains(plain, w) {
			return w
		}
	}
	return ""
}

// What a key ends with ends what is masked, where nothing stands before its
// lines: the log goes on.
func TestBehindAStrangersKeyTheLogGoesOn(t *testing.T) {
	for name, der := range strangers(t) {
		for how, said := range map[string]string{
			"base64": "key=" + base64.StdEncoding.EncodeToString(der) + "\r\n", "hex": "key=" + string(tokens("%02x", "", 0)(der).text[5:]),
		} {
			p := &paper{}
			tr := NewTranscript(p, record.ClockAt(time.Now()))
			tr.Add(Received, []byte(said+"[9.9] wifi: connected, rssi -61\r\n"), time.Now())
			tr.Flush()
			if !strings.Contains(p.String(), "wifi: connected") {
				t.Errorf("%s as %s:\n%.300s", name, how, p)
			}
		}
	}
}

// What begins much like a private key is none: a message of SNMP, a request,
// a public key, noise.
func TestWhatBeginsLikeAStrangersKeyIsShown(t *testing.T) {
	key := parsed(decoded([]byte(aKey().pkcs8), nil)).(*rsa.PrivateKey)
	request, err := x509.CreateCertificateRequest(crand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 256<<10)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range noise {
		noise[i] = byte(r.IntN(256))
	}
	for what, b := range map[string][]byte{
		"SNMP": append([]byte{0x30, 0x29, 2, 1, 1, 4, 6}, "public\xa0\x1c\x02\x04-and what it asks for"...), "request": request,
		"PKCS#1 public": x509.MarshalPKCS1PublicKey(&key.PublicKey), "noise": noise, "zeros": bytes.Repeat([]byte{0x30, 0, 2, 1, 0}, 50),
	} {
		for how, text := range map[string]string{
			"base64": base64.StdEncoding.EncodeToString(b), "hex": string(tokens("%02x", " ", 16)(b).text),
		} {
			p := &paper{}
			tr := NewTranscript(p, record.ClockAt(time.Now()))
			tr.Add(Received, []byte(text+"\r\n"), time.Now())
			tr.Flush()
			if strings.Contains(p.String(), "masked") {
				t.Errorf("%s as %s is masked", what, how)
			}
		}
	}
}

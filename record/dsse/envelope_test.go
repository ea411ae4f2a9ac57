package dsse

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hilrig/record"
)

// pair is a key as its files.
func pair(t *testing.T, key crypto.Signer) (private, public []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
}

func keys(t *testing.T) (ed, ec, other crypto.Signer) {
	t.Helper()
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519Key, ecdsaKey, rsaKey
}

// DSSE's own example (protocol.md).
func TestThePreAuthenticationEncoding(t *testing.T) {
	if got := string(preAuthentication("http://example.com/HelloWorld", []byte("hello world"))); got != "DSSEv1 29 http://example.com/HelloWorld 11 hello world" {
		t.Error(got)
	}
}

const kind = "application/test"

func TestAnEnvelopeIsVerifiedByEachKeyThatSignedIt(t *testing.T) {
	ed, ec, _ := keys(t)
	edPrivate, edPublic := pair(t, ed)
	ecPrivate, ecPublic := pair(t, ec)
	_, strange, _ := keys(t)
	_, strangePublic := pair(t, strange)
	edSigner, err := KeySigner("ed.pem", edPrivate)
	if err != nil {
		t.Fatal(err)
	}
	ecSigner, err := KeySigner("ec.pem", ecPrivate)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Sign(kind, []byte("payload"), edSigner)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Read(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ecSigner(preAuthentication(kind, e.Payload))
	if err != nil {
		t.Fatal(err)
	}
	e.Signatures = append([]Signature{{Sig: []byte("junk")}, second}, e.Signatures...)
	for _, c := range []struct {
		keys string
		pem  []byte
		want bool
	}{
		{"the first", edPublic, true},
		{"the second", ecPublic, true},
		{"a stranger's", strangePublic, false},
		{"a stranger's and one that signed", slices.Concat(strangePublic, edPublic), true},
	} {
		k, err := ReadKeys(c.pem)
		if err != nil {
			t.Fatal(c.keys, err)
		}
		if got := e.SignedBy(k...); got != c.want {
			t.Errorf("%s: %v", c.keys, got)
		}
	}
	if e.SignedBy() {
		t.Error("signed by nobody")
	}
	if _, err := Read("application/other", text); err == nil {
		t.Error("taken for another type")
	}
}

// DSSE lets whoever makes an envelope choose between both alphabets of base64.
func TestAnEnvelopeIsReadInEachBase64(t *testing.T) {
	ed, _, _ := keys(t)
	private, public := pair(t, ed)
	signer, err := KeySigner("ed.pem", private)
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte("\xfb\xff\xfe?")
	text, err := Sign(kind, payload, signer)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Read(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	for name, coding := range map[string]*base64.Encoding{"standard": base64.StdEncoding, "for URLs": base64.URLEncoding, "for URLs, not padded": base64.RawURLEncoding} {
		other := fmt.Sprintf(`{"payloadType": %q, "payload": %q, "signatures": [{"sig": %q}]}`, kind, coding.EncodeToString(payload), coding.EncodeToString(e.Signatures[0].Sig))
		if got, err := Verify(kind, []byte(other), public); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, err := Verify(kind, fmt.Appendf(nil, `{"payloadType": %q, "payload": "!", "signatures": []}`, kind), public); err == nil {
		t.Error("taken without being base64")
	}
}

// A key that a CI server keeps comes through a form and an environment.
func TestAKeyIsReadHoweverItsLinesEnd(t *testing.T) {
	ed, _, _ := keys(t)
	private, public := pair(t, ed)
	for name, change := range map[string]func(string) string{
		"carriage returns":                         func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"carriage returns, and no end of the last": func(s string) string { return strings.TrimSuffix(strings.ReplaceAll(s, "\n", "\r\n"), "\n") },
		"blanks around":                            func(s string) string { return "  " + strings.ReplaceAll(s, "\n", "  \n  ") },
		"ends written out":                         func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) },
	} {
		if _, err := KeySigner("key", []byte(change(string(private)))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadKeys([]byte(change(string(public)))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is wrong with a key, and what to do, is told.
func TestAKeyThatIsNoneSaysWhatItIs(t *testing.T) {
	ed, ec, other := keys(t)
	private, _ := pair(t, ed)
	rsaPrivate := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other.(*rsa.PrivateKey))})
	sec1, err := x509.MarshalECPrivateKey(ec.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for says, text := range map[string][]byte{
		"it has a passphrase": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}),
		"passphrase":          pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: sec1}),
		"it is RSA":           rsaPrivate,
	} {
		_, err := KeySigner("key.pem", text)
		var f *record.Failure
		if err == nil || !strings.Contains(err.Error(), says) || !errors.As(err, &f) || f.Cure == "" {
			t.Errorf("%s: %v", says, err)
		}
	}
	for says, text := range map[string][]byte{
		"it is a certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
		"it is a private key": private,
	} {
		if _, err := ReadKeys(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestKeysThatCannotVerifyAreRefused(t *testing.T) {
	ed, _, other := keys(t)
	private, public := pair(t, ed)
	_, rsaPublic := pair(t, other)
	for what, text := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("key"), "a private key": private, "RSA": rsaPublic, "a key and more": append(slices.Clone(public), "and more"...),
	} {
		if k, err := ReadKeys(text); err == nil {
			t.Errorf("%s: %v", what, k)
		}
	}
}

func TestAKeyThatCannotSignIsNotShown(t *testing.T) {
	_, _, other := keys(t)
	private, public := pair(t, other)
	for _, text := range [][]byte{private, public, []byte("secret"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})} {
		_, err := KeySigner("key.pem", text)
		if record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "key.pem") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

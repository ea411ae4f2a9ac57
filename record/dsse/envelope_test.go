package dsse

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
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

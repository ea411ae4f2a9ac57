package gate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"hilrig/record"
	"hilrig/record/dsse"
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

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ed25519": ed, "ecdsa": ec}
}

func TestAStatementIsVerifiedByItsKeyAlone(t *testing.T) {
	q := sound(t)
	v := Judge(*q)
	s, err := NewStatement(v, "fw.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := pair(t, keys(t)["ecdsa"])
	for name, key := range keys(t) {
		private, public := pair(t, key)
		signer, err := dsse.KeySigner("key.pem", private)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Verify(text, public)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := back.Predicate; got.Result != "PASSED" || back.Subject[0].Digest["sha256"] != goodSum || len(got.Configuration) != 2 || got.Configuration[1].Annotations["firmware_known"] != "flashed" {
			t.Errorf("%s: %+v", name, back)
		}
		if _, err := Verify(text, stranger); err == nil {
			t.Errorf("%s: verified by another's key", name)
		}
		var e dsse.Envelope
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func(*dsse.Envelope){
			"payload":   func(e *dsse.Envelope) { e.Payload = bytes.Replace(e.Payload, []byte(goodSum), []byte(otherSum), -1) },
			"type":      func(e *dsse.Envelope) { e.PayloadType += "x" },
			"signature": func(e *dsse.Envelope) { e.Signatures[0].Sig[7] ^= 1 },
			"none":      func(e *dsse.Envelope) { e.Signatures = nil },
		} {
			changed := e
			changed.Signatures = []dsse.Signature{{Sig: bytes.Clone(e.Signatures[0].Sig)}}
			change(&changed)
			if _, err := Verify(must(t, changed), public); err == nil {
				t.Errorf("%s: another %s is verified", name, what)
			}
		}
	}
}

func must(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is signed and says two things is not taken.
func TestAStatementThatContradictsItselfIsNotTaken(t *testing.T) {
	private, public := pair(t, keys(t)["ed25519"])
	signer, err := dsse.KeySigner("key.pem", private)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Statement){
		"predicate": func(s *Statement) { s.PredicateType = "x" },
		"subject":   func(s *Statement) { s.Subject[0].Digest = digestOf(otherSum) },
		"result":    func(s *Statement) { s.Predicate.Result = "FAILED" },
		"verdict":   func(s *Statement) { s.Predicate.Verdict = nil },
	} {
		s, err := NewStatement(Judge(*sound(t)), "fw.bin")
		if err != nil {
			t.Fatal(err)
		}
		change(s)
		text, err := s.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(text, public); err == nil {
			t.Errorf("another %s is taken", what)
		}
	}
}

func TestThereIsNoStatementWithoutAnAnswer(t *testing.T) {
	q := sound(t)
	q.Runs = nil
	if _, err := NewStatement(Judge(*q), "fw.bin"); record.ClassOf(err) != record.Usage {
		t.Errorf("%v", err)
	}
	q = sound(t)
	v := Judge(*q)
	v.Firmware.SHA256 = ""
	if _, err := NewStatement(v, "fw.bin"); record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), "--firmware-file") {
		t.Errorf("%v", err)
	}
}

package dsse

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Envelope is a DSSE envelope (secure-systems-lab/dsse, v1).
type Envelope struct {
	Payload     []byte      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"`
}

// Signature is one of an envelope.
type Signature struct {
	KeyID string `json:"keyid"` // SHA-256 of the public key in DER; empty where it is not known
	Sig   []byte `json:"sig"`
}

// Signer signs the bytes that it is given.
type Signer func(message []byte) (Signature, error)

// preAuthentication is what is signed: type and payload, each with its length,
// so that neither can be taken for a part of the other.
func preAuthentication(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Sign puts a payload into an envelope and signs it.
func Sign(payloadType string, payload []byte, sign Signer) ([]byte, error) {
	signature, err := sign(preAuthentication(payloadType, payload))
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(Envelope{payload, payloadType, []Signature{signature}}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return append(text, '\n'), nil
}

// Read is an envelope with a payload of a type. Nothing says yet who signed it.
func Read(payloadType string, envelope []byte) (*Envelope, error) {
	var text struct {
		Payload, PayloadType string
		Signatures           []struct{ KeyID, Sig string }
	}
	err := json.Unmarshal(envelope, &text)
	e := Envelope{PayloadType: text.PayloadType}
	if err == nil {
		e.Payload, err = decode(text.Payload)
	}
	for _, s := range text.Signatures {
		sig, sigErr := decode(s.Sig)
		err = cmp.Or(err, sigErr)
		e.Signatures = append(e.Signatures, Signature{s.KeyID, sig})
	}
	if err != nil {
		return nil, fmt.Errorf("it is no envelope: %w", err)
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("its payload is of type %q", e.PayloadType)
	}
	return &e, nil
}

// decode takes both alphabets of base64, as DSSE has it, padded or not.
func decode(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// SignedBy reports whether one of the keys has signed it.
func (e *Envelope) SignedBy(keys ...Key) bool {
	message := preAuthentication(e.PayloadType, e.Payload)
	for _, s := range e.Signatures {
		for _, k := range keys {
			if signed(k.public, message, s.Sig) {
				return true
			}
		}
	}
	return false
}

// Verify is the payload of an envelope that one of some public keys (PEM) has
// signed. It asks nobody.
func Verify(payloadType string, envelope, publicKey []byte) ([]byte, error) {
	keys, err := ReadKeys(publicKey)
	if err != nil {
		return nil, err
	}
	e, err := Read(payloadType, envelope)
	if err != nil {
		return nil, err
	}
	if !e.SignedBy(keys...) {
		return nil, errors.New("no signature of it is of this key")
	}
	return e.Payload, nil
}

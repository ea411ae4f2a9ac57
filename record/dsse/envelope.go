package dsse

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"hilrig/record"
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

// KeySigner signs by a private key in PEM (PKCS #8, or SEC 1): Ed25519 or ECDSA.
// Errors name the key by where it is from, and never show it.
func KeySigner(from string, text []byte) (Signer, error) {
	refuse := func(err error) error { return record.NewFailure(record.Usage, "read signing key", from, err) }
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, refuse(errors.New("it is no PEM"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
			return nil, refuse(errors.New("it is no private key in PKCS #8 or SEC 1, without a passphrase"))
		}
	}
	var signer crypto.Signer
	var hash crypto.Hash
	switch key := key.(type) {
	case ed25519.PrivateKey:
		signer = key
	case *ecdsa.PrivateKey:
		signer, hash = key, crypto.SHA256
	default:
		return nil, refuse(errors.New("it is neither Ed25519 nor ECDSA"))
	}
	id, err := keyID(signer.Public())
	if err != nil {
		return nil, refuse(err)
	}
	return func(message []byte) (Signature, error) {
		if hash != 0 {
			sum := sha256.Sum256(message)
			message = sum[:]
		}
		sig, err := signer.Sign(rand.Reader, message, hash)
		return Signature{KeyID: id, Sig: sig}, err
	}, nil
}

func keyID(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), err
}

// Key verifies signatures.
type Key struct{ public crypto.PublicKey }

// ReadKeys reads public keys in PEM, one after another: Ed25519 or ECDSA.
func ReadKeys(text []byte) (keys []Key, err error) {
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil && len(keys) == 0:
			return nil, errors.New("the public key is no PEM")
		case block == nil && len(bytes.TrimSpace(text)) > 0:
			return nil, errors.New("behind the public key stands what is no PEM")
		case block == nil:
			return keys, nil
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the public key: %w", err)
		}
		switch public.(type) {
		case ed25519.PublicKey, *ecdsa.PublicKey:
		default:
			return nil, errors.New("the public key is neither Ed25519 nor ECDSA")
		}
		keys, text = append(keys, Key{public}), rest
	}
}

// Read is an envelope with a payload of a type. Nothing says yet who signed it.
func Read(payloadType string, envelope []byte) (*Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, fmt.Errorf("it is no envelope: %w", err)
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("its payload is of type %q", e.PayloadType)
	}
	return &e, nil
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

func signed(public crypto.PublicKey, message, sig []byte) bool {
	switch public := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(public, sum[:], sig)
	}
	return false
}

package dsse

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	_ "crypto/sha512" // SHA-384 and SHA-512
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"hilrig/record"
)

// KeySigner signs by a private key in PEM (PKCS #8, or SEC 1): Ed25519 or ECDSA.
// Errors name the key by where it is from, and never show it.
func KeySigner(from string, text []byte) (Signer, error) {
	refuse := func(text string) error {
		return record.NewFailure(record.Usage, "read signing key", from, errors.New(text)).WithCure(
			"openssl genpkey -algorithm ed25519 -out release.pem makes a key; --sign-command signs by one that is kept elsewhere")
	}
	block := privateBlock(asLines(text))
	switch {
	case block == nil:
		return nil, refuse("it is no PEM of a private key")
	case strings.HasPrefix(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return nil, refuse("it has a passphrase, and nobody is asked for one")
	case strings.HasPrefix(block.Type, "RSA"):
		return nil, refuse("it is RSA, and neither Ed25519 nor ECDSA")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
			return nil, refuse("it is no private key in PKCS #8 or SEC 1, or its curve is none of P-256, P-384 and P-521")
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
		return nil, refuse("it is neither Ed25519 nor ECDSA")
	}
	id, err := keyID(signer.Public())
	if err != nil {
		return nil, refuse(err.Error())
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

// asLines is a PEM as its lines: the secrets of a CI server come with carriage
// returns, with blanks around, without the last line's end, or with \n written out.
func asLines(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte(`\n`), []byte("\n"))
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSpace(line)
	}
	return append(bytes.Join(lines, []byte("\n")), '\n')
}

// privateBlock is the first block of a PEM that says it is a private key: behind
// the parameters of its curve, or a certificate.
func privateBlock(text []byte) *pem.Block {
	for {
		block, rest := pem.Decode(text)
		if block == nil || strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block
		}
		text = rest
	}
}

// IsPrivateKey reports whether a text holds a private key, in PEM or in base64: it
// is no name, and is not to be shown.
func IsPrivateKey(text string) bool {
	if strings.Contains(text, "-----BEGIN ") {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return false
	}
	_, pkcs8 := x509.ParsePKCS8PrivateKey(der)
	_, sec1 := x509.ParseECPrivateKey(der)
	return pkcs8 == nil || sec1 == nil || privateBlock(der) != nil
}

// CheckShape finds what can be no signature by a key that verifies here: neither
// of Ed25519, nor of ECDSA in ASN.1.
func CheckShape(sig []byte) error {
	var of struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(sig, &of)
	switch {
	case len(sig) == ed25519.SignatureSize, err == nil && len(rest) == 0 && of.R.Sign() > 0 && of.S.Sign() > 0:
		return nil
	case len(sig) == 0:
		return errors.New("it printed no signature")
	}
	if raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(sig))); err == nil && len(raw) > 0 && CheckShape(raw) == nil {
		return errors.New("it printed the signature in base64; its bytes are asked for")
	}
	return fmt.Errorf("it printed %d bytes, which are no signature by Ed25519, nor by ECDSA in ASN.1", len(sig))
}

// Held is a signer whose signatures are held against the keys of which one must
// have made them.
func Held(sign Signer, keys ...Key) Signer {
	return func(message []byte) (Signature, error) {
		s, err := sign(message)
		if err != nil {
			return s, err
		}
		for _, k := range keys {
			if signed(k.public, message, s.Sig) {
				s.KeyID, err = keyID(k.public)
				return s, err
			}
		}
		return Signature{}, record.NewFailure(record.RigHost, "sign", "", errors.New("what it printed is no signature by the public key that is named"))
	}
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
	text = asLines(text)
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil && len(keys) == 0:
			return nil, errors.New("the public key is no PEM")
		case block == nil && len(bytes.TrimSpace(text)) > 0:
			return nil, errors.New("behind the public key stands what is no PEM")
		case block == nil:
			return keys, nil
		case block.Type == "CERTIFICATE":
			return nil, errors.New("it is a certificate, and no public key (openssl x509 -pubkey -noout prints the one in it)")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, errors.New("it is a private key, and no public one (openssl pkey -pubout prints that)")
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

func signed(public crypto.PublicKey, message, sig []byte) bool {
	switch public := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(public, message, sig)
	case *ecdsa.PublicKey:
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} { // as whoever signs elsewhere has it for a curve
			h := hash.New()
			h.Write(message)
			if ecdsa.VerifyASN1(public, h.Sum(nil), sig) {
				return true
			}
		}
	}
	return false
}

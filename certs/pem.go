package certs

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"hilrig/record"
)

// KeyForm is the PEM form of a private key: the words of its BEGIN line.
type KeyForm string

// The forms that devices take.
const (
	PKCS8 KeyForm = "PRIVATE KEY"     // RFC 5208; what openssl req writes since 1.0.0
	PKCS1 KeyForm = "RSA PRIVATE KEY" // RFC 8017 appendix A.1.2; openssl rsa -traditional
)

const blockCertificate = "CERTIFICATE"

// What is wrong with a PEM file or a pair. None of them, and nothing that
// wraps them, holds a byte of the file.
var (
	ErrPairMismatch      = errors.New("the private key does not belong to the certificate")
	ErrNotPEM            = errors.New("not PEM")
	ErrDamagedPEM        = errors.New("damaged PEM")
	ErrSeveralBlocks     = errors.New("more than one PEM block")
	ErrUnreadable        = errors.New("this library cannot read it")
	ErrKeyForCertificate = errors.New("a private key in the certificate's place")
	ErrCertificateForKey = errors.New("a certificate in the private key's place")
	ErrEncryptedKey      = errors.New("the private key is encrypted; the device cannot ask for its password")
)

// knownBlocks are the words of BEGIN lines that an error may repeat. A line in
// which newlines were lost can hold key text, so no other words are repeated.
var knownBlocks = []string{
	blockCertificate, "TRUSTED CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
	string(PKCS8), string(PKCS1), "EC PRIVATE KEY", "DSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY",
	"PUBLIC KEY", "RSA PUBLIC KEY", "EC PARAMETERS", "DH PARAMETERS", "X509 CRL", "PKCS7", "CMS",
}

// blockName is what an error calls a block.
func blockName(words string) string {
	for _, k := range knownBlocks {
		if words == k {
			return words
		}
	}
	return "of an unknown kind"
}

var (
	beginMark = []byte("-----BEGIN ")
	endMark   = []byte("-----END ")
)

// oneBlock is the only PEM block of a file. It is stricter than [pem.Decode],
// which skips what it cannot read: a second BEGIN line counts even when its
// block is broken.
func oneBlock(data []byte) (*pem.Block, error) {
	if bytes.Count(data, beginMark) > 1 {
		if isECFirst(data) {
			return nil, &formError{form: formECFirst, is: ErrSeveralBlocks}
		}
		return nil, ErrSeveralBlocks
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, whyNotPEM(data)
	}
	return block, nil
}

// whyNotPEM names what the file is instead, as far as its first bytes tell.
func whyNotPEM(data []byte) error {
	if f, label := formOf(data); f == formUnbroken {
		return &formError{form: f, label: label, is: ErrDamagedPEM}
	} else if f != "" {
		return &formError{form: f, is: ErrNotPEM}
	}
	switch {
	case !bytes.Contains(data, beginMark):
		return fmt.Errorf("%w: no BEGIN line", ErrNotPEM)
	case !bytes.Contains(data, endMark):
		return fmt.Errorf("%w: no END line, the file is cut short", ErrDamagedPEM)
	}
	return fmt.Errorf("%w: the text between BEGIN and END is not base64, or the two lines do not match", ErrDamagedPEM)
}

// isECFirst: openssl ecparam -genkey writes the curve in a block of its own
// before the key.
func isECFirst(data []byte) bool {
	first, rest := pem.Decode(data)
	if first == nil || first.Type != "EC PARAMETERS" {
		return false
	}
	second, rest := pem.Decode(rest)
	return second != nil && second.Type == "EC PRIVATE KEY" && !bytes.Contains(rest, beginMark)
}

// ParseCertificate reads one PEM certificate. Errors wrap [ErrNotPEM],
// [ErrDamagedPEM], [ErrSeveralBlocks], [ErrKeyForCertificate] or
// [ErrUnreadable]; [Cure] says what helps. They are not classified: whose file it is, the
// caller knows.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	block, err := oneBlock(data)
	if err != nil {
		return nil, err
	}
	return certificateOf(block)
}

func certificateOf(block *pem.Block) (*x509.Certificate, error) {
	switch {
	case isPrivateKey(block.Type):
		return nil, ErrKeyForCertificate
	case block.Type == "PKCS7" || block.Type == "CMS" || block.Type == "PKCS #7 SIGNED DATA":
		return nil, &formError{form: formPKCS7, is: ErrNotPEM}
	case block.Type == "TRUSTED CERTIFICATE" || block.Type == "X509 CERTIFICATE":
		return nil, &formError{form: formTrusted, is: ErrNotPEM}
	case block.Type == "CERTIFICATE REQUEST" || block.Type == "NEW CERTIFICATE REQUEST":
		return nil, &formError{form: formRequest, is: ErrNotPEM}
	case block.Type != blockCertificate:
		return nil, fmt.Errorf("a PEM block %s instead of %s", blockName(block.Type), blockCertificate)
	case len(block.Headers) > 0:
		return nil, fmt.Errorf("%w: header lines between BEGIN and the certificate", ErrDamagedPEM)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil && wellFormed(block.Bytes):
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	case err != nil:
		return nil, fmt.Errorf("%w: its body is no certificate: %w", ErrDamagedPEM, err)
	}
	return c, nil
}

func isPrivateKey(words string) bool { return strings.HasSuffix(words, string(PKCS8)) }

// ParseKey reads one PEM private key: PKCS#8, PKCS#1 or SEC 1. Errors wrap
// [ErrNotPEM], [ErrDamagedPEM], [ErrSeveralBlocks], [ErrCertificateForKey] or
// [ErrEncryptedKey]; none ever holds key text, also not of a damaged file.
func ParseKey(data []byte) (crypto.Signer, error) {
	block, err := oneBlock(data)
	if err != nil {
		return nil, err
	}
	key, err := keyOf(block)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a private key of kind %T cannot sign", key)
	}
	return signer, nil
}

func keyOf(block *pem.Block) (key any, err error) {
	switch {
	case block.Type == blockCertificate:
		return nil, ErrCertificateForKey
	case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
		return nil, ErrEncryptedKey
	}
	switch block.Type {
	case string(PKCS8):
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case string(PKCS1):
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "OPENSSH PRIVATE KEY":
		return nil, opensshKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a PEM block %s instead of a private key", blockName(block.Type))
	}
	if err != nil && wellFormed(block.Bytes) { // not wrapped: nobody promises that it quotes nothing
		return nil, fmt.Errorf("%w: its kind or curve is not known here", ErrUnreadable)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its body is no private key", ErrDamagedPEM)
	}
	return key, nil
}

// opensshKey says what to do with a key of OpenSSH: an RSA or ECDSA key can be
// converted, the other kinds OpenSSH writes in no form but its own.
func opensshKey(body []byte) error {
	for _, kind := range []string{"ssh-ed25519", "sk-ssh-", "sk-ecdsa-"} {
		if bytes.Contains(body, []byte(kind)) {
			return fmt.Errorf("a private key of OpenSSH of kind %s, which no other form holds; a device takes RSA 2048 (hilrig certs new)", kind)
		}
	}
	return &formError{form: formOpenSSHKey, is: ErrNotPEM}
}

func samePublicKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: der})
}

func encodeKey(key *rsa.PrivateKey, form KeyForm) ([]byte, error) {
	if form == PKCS1 {
		return pem.EncodeToMemory(&pem.Block{Type: string(PKCS1), Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, record.NewFailure(record.Harness, "encode", "private key", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: string(PKCS8), Bytes: der}), nil
}

package emulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// refusal is why a file is not taken: a reason for faults to leave out, and
// the text that the console prints.
type refusal struct{ reason, text string }

func (r *refusal) Error() string { return r.text }

// The reasons.
const (
	notPEM     = "garbage"
	cut        = "truncated"
	wrongKind  = "kind"
	unreadable = "unreadable"
	noPair     = "pair"
)

// check is what sound firmware does before it says OK. A root may be a bundle;
// text around the blocks is none of its business, as openssl writes some.
func check(slot int, data string) *refusal {
	blocks, whole := decode(data)
	switch {
	case len(blocks) == 0 && whole:
		return &refusal{notPEM, "not a PEM file"}
	case !whole:
		return &refusal{cut, "file is incomplete"}
	}
	for _, b := range blocks {
		if isKey(b) != (slot == slotKey) {
			return &refusal{wrongKind, "wrong kind of file: " + b.Type}
		}
		if err := readable(b); err != nil {
			return &refusal{unreadable, "cannot be read"}
		}
	}
	if slot == slotKey && len(blocks) > 1 {
		return &refusal{unreadable, "more than one key"}
	}
	return nil
}

// decode takes a PEM file apart, whatever ends its lines; whole is false where
// a block begins and does not end.
func decode(data string) (blocks []*pem.Block, whole bool) {
	data = unixLines(data)
	begins := strings.Count(data, "-----BEGIN ")
	for rest := []byte(data); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return blocks, len(blocks) == begins
		}
		blocks = append(blocks, b)
	}
}

func unixLines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func isKey(b *pem.Block) bool { return strings.HasSuffix(b.Type, "PRIVATE KEY") }

func readable(b *pem.Block) error {
	var err error
	switch {
	case isKey(b):
		_, err = parseKey(b)
	case b.Type == "CERTIFICATE":
		_, err = x509.ParseCertificate(b.Bytes)
	default:
		err = errors.New("neither certificate nor key")
	}
	return err
}

// parseKey reads PKCS#8, PKCS#1 and SEC 1 keys.
func parseKey(b *pem.Block) (crypto.Signer, error) {
	if k, err := x509.ParsePKCS1PrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	}
	return nil, errors.New("neither an RSA nor an EC key")
}

// certificates are those of a stored file that can be read.
func certificates(data string) []*x509.Certificate {
	blocks, _ := decode(data)
	var cs []*x509.Certificate
	for _, b := range blocks {
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && b.Type == "CERTIFICATE" {
			cs = append(cs, c)
		}
	}
	return cs
}

// privateKey is the key of a stored file; nil if it cannot be read.
func privateKey(data string) crypto.Signer {
	blocks, _ := decode(data)
	for _, b := range blocks {
		if k, err := parseKey(b); err == nil && isKey(b) {
			return k
		}
	}
	return nil
}

// mismatched reports whether both files can be read and the key is another
// certificate's. Files that cannot be read are not judged: only firmware that
// checks nothing has any.
func mismatched(f files) bool {
	cs, key := certificates(f[slotCertificate]), privateKey(f[slotKey])
	if len(cs) == 0 || key == nil {
		return false
	}
	public, ok := cs[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return !ok || !public.Equal(key.Public())
}

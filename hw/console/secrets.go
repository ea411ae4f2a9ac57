package console

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
)

// secrets are the private keys that are known to be on their way, as short
// pieces of what a device may show of them: of their bytes (DER, either way
// round), of base64 text of those at each alignment, and of their numbers in
// decimal digits. Whatever form a key is given in, both PKCS#1 and PKCS#8 of it
// are known. What a key shares with its public half is no secret.
type secrets struct {
	known    map[[sha256.Size]byte]bool // texts that were added
	exempted map[[sha256.Size]byte]bool // certificates that were added
	bytes    *grams
	text     *grams // of base64 values
	digits   *grams
}

// A piece is four bytes, five characters of base64 or eight digits: enough to
// be rare, short enough to be found where a line loses one byte in ten. With
// forty keys known, a stream of random hex digits is taken for a key once in
// 10^20 bytes.
func newSecrets() *secrets {
	return &secrets{
		known: map[[sha256.Size]byte]bool{}, exempted: map[[sha256.Size]byte]bool{},
		bytes: newGrams(4, 7, 16), text: newGrams(5, 10, 24), digits: newGrams(8, 18, 32),
	}
}

// any reports whether there is anything to look for.
func (s *secrets) any() bool { return len(s.known) > 0 }

// code is a base64 character's value, or -1.
func code(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// letters are the characters of base64 values.
func letters(values []byte) []byte {
	text := make([]byte, len(values))
	for i, v := range values {
		text[i] = alphabet[v]
	}
	return text
}

// pemLines are those of a PEM text between BEGIN and END.
func pemLines(text []byte) []byte {
	if _, after, ok := bytes.Cut(text, []byte("KEY-----")); ok {
		text = bytes.TrimLeft(after, "\r\n")
	}
	if i := bytes.Index(text, []byte("-----END")); i >= 0 {
		text = text[:i]
	}
	return text
}

// base64Text is what a PEM text, or any other, has of base64 characters, its
// BEGIN and END lines left out.
func base64Text(text []byte) []byte {
	var body []byte
	for line := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("-----")) {
			continue
		}
		for _, c := range line {
			if code(c) >= 0 {
				body = append(body, c)
			}
		}
	}
	return body
}

// values are the values of a base64 text.
func values(text []byte) []byte {
	v := make([]byte, 0, len(text))
	for _, c := range text {
		if x := code(c); x >= 0 {
			v = append(v, byte(x))
		}
	}
	return v
}

// aligned are the base64 values of bytes that begin anywhere in a text: those
// that depend on nothing else.
func aligned(b []byte) (all [][]byte) {
	for shift := range 3 {
		text := []byte(base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), b...)))
		from, to := (8*shift+5)/6, (8*(shift+len(b)))/6
		if from < to {
			all = append(all, values(text[from:to]))
		}
	}
	return all
}

// add makes a key known: a PEM text, with or without its lines around it, or
// any other base64 text.
func (s *secrets) add(text []byte) {
	sum := sha256.Sum256(text)
	if s.known[sum] {
		return
	}
	s.known[sum] = true
	own := base64Text(text)
	der := decoded(text, own)
	forms := [][]byte{der}
	if key := parsed(der); key != nil {
		forms = append(forms, keyForms(key)...)
		if public, err := x509.MarshalPKIXPublicKey(publicOf(key)); err == nil {
			s.exempt(public)
		}
		for _, n := range numbers(key) {
			s.digits.add([]byte(n.String()))
		}
	}
	s.text.add(values(own))
	for _, der := range forms {
		s.bytes.add(der)
		back := slices.Clone(der)
		slices.Reverse(back) // numbers whose lowest word is first
		s.bytes.add(back)
		for _, v := range aligned(der) {
			s.text.add(v)
		}
	}
	for _, v := range aligned(pemLines(text)) { // the file in base64 once more
		s.text.add(v)
	}
}

// addPublic exempts a certificate from being taken for a piece of its key.
func (s *secrets) addPublic(text []byte) {
	sum := sha256.Sum256(text)
	if s.exempted[sum] { // the same files are loaded again and again
		return
	}
	s.exempted[sum] = true
	s.text.addPublic(values(base64Text(text)))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		s.exempt(block.Bytes)
	}
}

func (s *secrets) exempt(der []byte) {
	s.bytes.addPublic(der)
	back := slices.Clone(der)
	slices.Reverse(back)
	s.bytes.addPublic(back)
	for _, v := range aligned(der) {
		s.text.addPublic(v)
		for _, v := range aligned(letters(v)) {
			s.text.addPublic(v)
		}
	}
}

// decoded are the bytes that a text stands for, as far as it is whole.
func decoded(text, own []byte) []byte {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if bytes.Contains([]byte(block.Type), keyLabel) {
			return block.Bytes
		}
	}
	der := make([]byte, base64.RawStdEncoding.DecodedLen(len(own)))
	n, _ := base64.RawStdEncoding.Decode(der, own) // what is behind an error is no base64
	return der[:n]
}

func parsed(der []byte) any {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}

// keyForms are the DER texts of a key.
func keyForms(key any) (forms [][]byte) {
	if der, err := x509.MarshalPKCS8PrivateKey(key); err == nil {
		forms = append(forms, der)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		forms = append(forms, x509.MarshalPKCS1PrivateKey(k))
	case *ecdsa.PrivateKey:
		if der, err := x509.MarshalECPrivateKey(k); err == nil {
			forms = append(forms, der)
		}
	}
	return forms
}

func publicOf(key any) any {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k.Public()
	case *ecdsa.PrivateKey:
		return k.Public()
	case ed25519.PrivateKey:
		return k.Public()
	}
	return nil
}

// numbers are a key's secret ones.
func numbers(key any) (all []*big.Int) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		all = append(all, k.D, k.Precomputed.Dp, k.Precomputed.Dq, k.Precomputed.Qinv)
		all = append(all, k.Primes...)
	case *ecdsa.PrivateKey:
		if d, err := k.Bytes(); err == nil {
			all = append(all, new(big.Int).SetBytes(d))
		}
	}
	return slices.DeleteFunc(all, func(n *big.Int) bool { return n == nil })
}

// isCertificate reports whether a file is certificates in PEM form and nothing
// that is secret.
func isCertificate(data []byte) bool {
	if bytes.Contains(data, keyLabel) {
		return false
	}
	found := false
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return found
		}
		if block.Type != "CERTIFICATE" {
			return false
		}
		found, data = true, rest
	}
}

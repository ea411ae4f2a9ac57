package console

import (
	"bytes"
	"encoding/pem"
)

// gram is how many characters of a key's base64 text are enough to know the
// key by. Shorter pieces occur by chance and give nothing away.
const gram = 12

type piece [gram]byte

// secrets are the private keys that are known to be on their way, as pieces of
// their base64 text. The bit sets tell at once that a character cannot be the
// end of any piece: they hold which one, two and three characters in a row
// occur in a key.
type secrets struct {
	one    uint64
	two    [64]uint64
	three  []uint64 // 64*64*64 bits, once there is a key
	pieces map[piece]struct{}
	public map[piece]struct{} // pieces that a certificate has too: the public key is in both
}

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

// add makes a key known.
func (s *secrets) add(text []byte) {
	body := base64Text(text)
	if len(body) < gram {
		return
	}
	if s.pieces == nil {
		s.pieces = map[piece]struct{}{}
		s.three = make([]uint64, 64*64)
	}
	for i := range body {
		c := code(body[i])
		s.one |= 1 << c
		if i >= 1 {
			s.two[code(body[i-1])] |= 1 << c
		}
		if i >= 2 {
			s.three[code(body[i-2])<<6|code(body[i-1])] |= 1 << c
		}
		if i+gram <= len(body) {
			s.pieces[piece(body[i:i+gram])] = struct{}{}
		}
	}
}

// addPublic exempts a text that is no secret from being taken for one.
func (s *secrets) addPublic(text []byte) {
	body := base64Text(text)
	if s.public == nil {
		s.public = map[piece]struct{}{}
	}
	for i := 0; i+gram <= len(body); i++ {
		s.public[piece(body[i:i+gram])] = struct{}{}
	}
}

// has reports whether a piece is a key's and nobody else's.
func (s *secrets) has(p piece) bool {
	if _, ok := s.pieces[p]; !ok {
		return false
	}
	_, public := s.public[p]
	return !public
}

// longest is how many of the last characters may be a piece of a key, at the
// most, after c came behind the characters last (the last but one first) of
// which length may have been one.
func (s *secrets) longest(length int, last [2]int, c int) int {
	switch {
	case s.one>>c&1 == 0:
		return 0
	case length >= 1 && s.two[last[1]]>>c&1 == 0, length == 0:
		return 1
	case length >= 2 && s.three[last[0]<<6|last[1]]>>c&1 == 0:
		return 2
	}
	return length + 1
}

// isCertificate reports whether a file is certificates in PEM form and nothing
// that is secret.
func isCertificate(data []byte) bool {
	if bytes.Contains(data, []byte("PRIVATE KEY")) {
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

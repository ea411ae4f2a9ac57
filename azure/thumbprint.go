package azure

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// ErrThumbprint is wrapped by every error about a thumbprint.
var ErrThumbprint = errors.New("not a thumbprint")

// ErrRegistered is what [ParseRegistered] says of a text without an id or a
// thumbprint.
var ErrRegistered = errors.New("not ID=THUMBPRINT")

// Hex digits of a thumbprint.
const (
	sha1Digits   = 40
	sha256Digits = 64
)

// printTitle is what tools put before a thumbprint: "sha1 Fingerprint=" and
// "SHA256 Fingerprint=" of openssl x509, "SHA-1 thumbprint" of certs show.
var printTitle = regexp.MustCompile(`(?i)^\s*sha-?(1|256)\s*(?:fingerprint|thumbprint)?\s*[=:]?`)

// ParseThumbprint reads a thumbprint as people paste it and returns it as the
// registry wants it: upper-case hex without separators, SHA-1 or SHA-256.
// Taken out are what tools put around one (a title, colons, dashes, blanks,
// quotes, line ends) and what cannot be seen: the certificate dialogue of
// Windows puts U+200E before the first digit.
func ParseThumbprint(text string) (string, error) {
	shown := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
	want := ""
	if m := printTitle.FindStringSubmatch(shown); m != nil {
		want, shown = m[1], shown[len(m[0]):]
	}
	var digits strings.Builder
	for i, r := range shown {
		switch {
		case strings.ContainsRune(" :-\"'`", r):
		case r < unicode.MaxASCII && unicode.Is(unicode.ASCII_Hex_Digit, r):
			digits.WriteRune(unicode.ToUpper(r))
		default:
			return "", fmt.Errorf("%w: it holds %s, and only hex digits are part of one", ErrThumbprint, characterAt(shown, i, r))
		}
	}
	switch n := digits.Len(); {
	case n != sha1Digits && n != sha256Digits:
		return "", fmt.Errorf("%w: a thumbprint is %d (SHA-1) or %d (SHA-256) hex digits, this is %d characters", ErrThumbprint, sha1Digits, sha256Digits, n)
	case want == "1" && n != sha1Digits, want == "256" && n != sha256Digits:
		return "", fmt.Errorf("%w: %d hex digits are not of SHA-%s, as its title says", ErrThumbprint, n, want)
	}
	return digits.String(), nil
}

// registered is a device with one of its thumbprints, as people type it:
// ID=THUMBPRINT. An id may hold "=", and so may the thumbprint's title.
var registered = regexp.MustCompile(`(?is)^(.*?)=(\s*(?:sha-?(?:1|256)\s*(?:fingerprint|thumbprint)?\s*=)?[^=]*)$`)

// ParseRegistered reads ID=THUMBPRINT and checks both. Errors wrap
// [ErrRegistered], [ErrDeviceID] or [ErrThumbprint].
func ParseRegistered(text string) (id, thumbprint string, err error) {
	m := registered.FindStringSubmatch(text)
	if m == nil || m[1] == "" || strings.TrimSpace(m[2]) == "" {
		return "", "", ErrRegistered
	}
	if err := CheckDeviceID(m[1]); err != nil {
		return m[1], "", err
	}
	thumbprint, err = ParseThumbprint(m[2])
	return m[1], thumbprint, err
}

package record

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain is text from outside (a device, a rig file, another user's lock) as a
// person may see it at a terminal: what would steer the terminal, or turn the
// order of its characters around, is shown as the escape that Go has for it.
// Line ends and tabs stay; bytes that are not UTF-8 are escaped too.
func Plain(s string) string {
	if strings.IndexFunc(s, steers) < 0 && utf8.ValidString(s) {
		return s
	}
	const hexDigits = "0123456789abcdef"
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if steers(r) || r == utf8.RuneError && n == 1 {
			for _, c := range []byte(s[:n]) {
				b.WriteString(`\x`)
				b.WriteByte(hexDigits[c>>4])
				b.WriteByte(hexDigits[c&15])
			}
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// PlainJSON is a JSON text that means the same and steers no terminal: what
// encoding/json leaves as it is, as the escape that JSON has for it. Such
// characters stand nowhere but in strings.
func PlainJSON(b []byte) []byte {
	if bytes.IndexFunc(b, steers) < 0 {
		return b
	}
	var out []byte
	for _, r := range string(b) {
		if steers(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// steers reports whether a terminal obeys this character rather than show it:
// controls of C0 and C1, and those of Unicode's bidirectional text.
func steers(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

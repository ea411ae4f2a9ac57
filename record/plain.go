package record

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain is text from outside (a device, a rig file, another user's lock) as a
// person may see it at a terminal, or in the log of a job: what would steer the
// terminal, turn the order of its characters around, or give an order to
// whatever runs the job, is shown as the escape that Go has for it. Line ends
// and tabs stay; bytes that are not UTF-8 are escaped too.
func Plain(s string) string { return noOrders(noSteering(s)) }

func noSteering(s string) string {
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

// orders are what runners of jobs read as an order in what a job prints. GitHub
// takes "::" where a line begins, behind any space; GitHub and Azure DevOps take
// "##[" and "##vso[" anywhere. GitHub's comparison skips what has no width.
var orders = regexp.MustCompile(`(?mi)^[\s\pZ\p{Cf}\p{Mn}]*:[\p{Cf}\p{Mn}]*:|#[\p{Cf}\p{Mn}]*#[a-z\p{Cf}\p{Mn}]*\[`)

// noOrders breaks the first character of each order.
func noOrders(s string) string {
	if !strings.Contains(s, ":") && !strings.Contains(s, "#") { // most texts
		return s
	}
	return orders.ReplaceAllStringFunc(s, func(order string) string {
		if space, rest, ok := strings.Cut(order, ":"); ok {
			return space + `\x3a` + rest
		}
		return `\x23` + order[1:]
	})
}

// PlainJSON is a JSON text that means the same, steers no terminal and gives no
// order: what encoding/json leaves as it is, as the escape that JSON has for it.
// Such characters stand nowhere but in strings, and no string begins a line.
func PlainJSON(b []byte) []byte {
	if bytes.Contains(b, []byte("#")) {
		b = orders.ReplaceAllFunc(b, func(order []byte) []byte {
			if order[0] != '#' {
				return order
			}
			return append([]byte(`\u0023`), order[1:]...)
		})
	}
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

package console

import (
	"unicode"
	"unicode/utf8"
)

// appendPrintable appends bytes in the transcript's form: printable characters
// as they are, all others escaped as in a Go string, so that a line stays one
// line, no terminal is steered by it, and the bytes can be read back exactly.
func appendPrintable(dst, b []byte) []byte {
	const hexDigits = "0123456789abcdef"
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case b[0] == '\n':
			dst = append(dst, `\n`...)
		case b[0] == '\r':
			dst = append(dst, `\r`...)
		case b[0] == '\t':
			dst = append(dst, `\t`...)
		case b[0] == '\\':
			dst = append(dst, `\\`...)
		case r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			for _, c := range b[:n] {
				dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			}
		default:
			dst = append(dst, b[:n]...)
		}
		b = b[n:]
	}
	return dst
}

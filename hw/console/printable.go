package console

import (
	"strconv"
	"strings"
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

// Words is what a line of the transcript says: its bytes, without the sequences
// of a terminal in them, and without its line end.
func Words(line string) string {
	return strings.Trim(Bare(bytesOf(line)), "\r\n")
}

// EndsLine reports whether a line of the transcript, or a piece of one, ends as
// a line does.
func EndsLine(line string) bool {
	text := bytesOf(line)
	return strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r")
}

// bytesOf reads what appendPrintable has written back.
func bytesOf(line string) string {
	if !strings.Contains(line, `\`) {
		return line
	}
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '\\')
		if i < 0 || i+1 == len(line) {
			b.WriteString(line)
			break
		}
		b.WriteString(line[:i])
		c, used := unescaped(line[i:])
		b.WriteByte(c)
		line = line[i+used:]
	}
	return b.String()
}

// unescaped is the byte that an escaped one stands for, and the length of that.
func unescaped(text string) (c byte, used int) {
	switch text[1] {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'x':
		if len(text) >= 4 {
			if v, err := strconv.ParseUint(text[2:4], 16, 8); err == nil {
				return byte(v), 4
			}
		}
	}
	return text[1], 2
}

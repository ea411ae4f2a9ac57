package wording

import (
	"bytes"
	"regexp"
	"strings"

	"hilrig/record"
)

// Clip shortens text to n characters, at least 1.
func Clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// OneLine is text that may be anything as one line.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Cell is text that may be anything as a table in Markdown holds it.
func Cell(s string) string {
	s = escapes.ReplaceAllString(record.Plain(OneLine(s)), `$1$1$2$3$3`)
	return strings.NewReplacer("&", "&amp;", "|", `\|`, "<", "&lt;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`).Replace(s)
}

// escapes are backslashes that Markdown would take for its own, and with them
// what else keeps a text from being a link or code: those before punctuation, the
// last, and several in a row. Others it leaves as they are.
var escapes = regexp.MustCompile("(\\\\+)([!-/:-@\\[\\]-`{-~]|$)|(\\\\{2,})")

// UTF16 is the name that iconv has for the UTF-16 that text is in; empty where
// it is in another coding. > and Out-File of Windows PowerShell write UTF-16,
// with a byte order mark; others write it without one.
func UTF16(data []byte) string {
	zero := func(i int) bool { return data[i] == 0 }
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return "UTF-16"
	case len(data) < 4:
		return ""
	case !zero(0) && zero(1) && !zero(2) && zero(3):
		return "UTF-16LE"
	case zero(0) && !zero(1) && zero(2) && !zero(3):
		return "UTF-16BE"
	}
	return ""
}

// ShellWord is a file's name as a POSIX shell takes it for one word that is no
// option.
func ShellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+") == "" && s[0] != '-' {
		return s
	}
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

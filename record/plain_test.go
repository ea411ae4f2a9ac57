package record_test

import (
	"testing"

	"hilrig/record"
)

func TestTextFromOutsideSteersNoTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain, ünicode → 漢字\tand\nlines": "plain, ünicode → 漢字\tand\nlines",
		"\x1b[2Jgone":                     `\x1b[2Jgone`,
		"over\rwritten":                   `over\x0dwritten`,
		"\x1b]0;title\a":                  `\x1b]0;title\x07`,
		"C1 \u009b2J":                     `C1 \xc2\x9b2J`,
		"not UTF-8 \xff\x9b":              `not UTF-8 \xff\x9b`,
		"\u202etxt.exe":                   `\xe2\x80\xaetxt.exe`,
		"back\b\x7f":                      `back\x08\x7f`,
	} {
		if got := record.Plain(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

package wording_test

import (
	"testing"

	"hilrig/record/wording"
)

func TestClipKeepsCharactersWhole(t *testing.T) {
	if got := wording.Clip("größer als gedacht", 5); got != "größ…" {
		t.Errorf("%q", got)
	}
}

func TestAFilesNameIsOneWordOfAShell(t *testing.T) {
	for name, want := range map[string]string{
		"rig.yaml":       "rig.yaml",
		"it's a type":    `'it'\''s a type'`,
		"-rf":            "'./-rf'",
		"":               "''",
		"a;b $(c) `d`\n": "'a;b $(c) `d`\n'",
	} {
		if got := wording.ShellWord(name); got != want {
			t.Errorf("%q becomes %s, want %s", name, got, want)
		}
	}
}

func TestUTF16IsKnownByItsBytes(t *testing.T) {
	for text, want := range map[string]string{
		"\xff\xfea\x00":                      "UTF-16",
		"\xfe\xff\x00a":                      "UTF-16",
		"a\x00b\x00":                         "UTF-16LE",
		"\x00a\x00b":                         "UTF-16BE",
		"a\x00":                              "",
		"plain":                              "",
		"\xef\xbb\xbfwith a mark of its own": "",
		"\x30\x00\x00\x00":                   "",
		"":                                   "",
	} {
		if got := wording.UTF16([]byte(text)); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A text's own backslashes take away none of those that keep it a text.
func TestACellOfATableIsNothingButText(t *testing.T) {
	for text, want := range map[string]string{
		`a | b`:                `a \| b`,
		`\[x](http://h)`:       `\\\[x](http://h)`,
		"\\`code`":             "\\\\\\`code\\`",
		`C:\dir\`:              `C:\dir\\`,
		`\\host\d`:             `\\\\host\d`,
		`&lt;b&gt; <b>`:        `&amp;lt;b&amp;gt; &lt;b>`,
		"two\n  lines\x1b[31m": `two lines\x1b\[31m`,
	} {
		if got := wording.Cell(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
}

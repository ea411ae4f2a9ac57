package record_test

import (
	"encoding/json"
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
		"::error::x\nyes\n \t\u00ad::stop-commands::x": "\\x3a:error::x\nyes\n \t\u00ad\\x3a:stop-commands::x", // GitHub
		"hilrig::x, a: ::1":                            "hilrig::x, a: ::1",
		":\u00ad:error::x":                             "\\x3a\u00ad:error::x",
		"a ##[error]x #\u200b#vso[task.complete]":      "a \\x23#[error]x \\x23\u200b#vso[task.complete]", // GitHub, Azure DevOps
		"##teamcity[buildStatus] ## [not]":             "\\x23#teamcity[buildStatus] ## [not]",
		"###[error] # [x] a#[b] ##":                    "#\\x23#[error] # [x] a#[b] ##",
	} {
		if got := record.Plain(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestJSONFromOutsideSteersNoTerminalAndSaysTheSame(t *testing.T) {
	for _, s := range []string{"plain, ünicode → 漢字\tand\nlines", "\x1b[2J", "C1 \u009b2J", "\u202etxt.exe", "back\b\x7f\x00", "##vso[task.complete]", "a ###[error]"} {
		in, err := json.Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		out := record.PlainJSON(append(in, '\n'))
		if got := record.Plain(string(out)); got != string(out) {
			t.Errorf("%q: %q steers", s, out)
		}
		var back map[string]string
		if err := json.Unmarshal(out, &back); err != nil || back[s] != s {
			t.Errorf("%q came back as %q: %v", s, back, err)
		}
	}
}

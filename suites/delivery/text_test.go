package delivery

import (
	"strings"
	"testing"
)

func TestWhatIsNoUTF8IsNamedWithItsBytes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"ASCII":                   {`{"t":21.5}`, ""},
		"UTF-8":                   {`{"unit":"°C","site":"Zürich 東京 🛰"}`, ""},
		"escaped":                 {`{"unit":"\u00b0C"}`, ""},
		"nothing":                 {"", ""},
		"Latin-1":                 {"{\"unit\":\"\xb0C\"}", `byte 9 of 13 is no UTF-8: 22 75 6e 69 74 22 3a 22 b0 43 22 7d, which is`},
		"cut in a character":      {"{\"unit\":\"\xc2\"}", "byte 9 of 12"},
		"a surrogate in three":    {"\"\xed\xa0\x80\"", "byte 1 of 5"},
		"an overlong NUL":         {"\"\xc0\x80\"", "byte 1 of 4"},
		"a byte order mark":       {"\xef\xbb\xbf{}", "a byte order mark, ef bb bf"},
		"a replacement character": {"\"\uFFFD\"", ""}, // somebody else's loss, and valid
	} {
		if got := notUTF8([]byte(c.text)); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestANameTwiceIsFoundAtAnyDepth(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":2}`:                            "",
		`{"a":1,"a":2}`:                            "/a",
		`{"a":{"a":{"a":1}}}`:                      "",
		`{"x":[{"a":1},{"a":2}]}`:                  "",
		`{"x":[{"a":1},{"b":[1,2],"c":{},"b":3}]}`: "/x/1/b",
		`{"a":{"b":{},"c/d":1,"c/d":2}}`:           "/a/c~1d",
		`{"a":1,"\u0061":2}`:                       "/a",
		`{"A":1,"a":2}`:                            "",
		`["a","a"]`:                                "",
		`{"a":"b","b":"a"}`:                        "",
		`{"a":null,"b":true,"a":false}`:            "/a",
		`{"a":[],"b":[[]],"a":0}`:                  "/a",
		`"text"`:                                   "",
		`{"a":1`:                                   "",
		`not JSON`:                                 "",
		``:                                         "",
		`{"a":1}{"a":1}`:                           "",
		`{"":1,"":2}`:                              "/",
	} {
		if got := twice([]byte(text)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// A payload is one JSON value. What is wrong in one that is not is told in words
// that lead to the line of firmware.
func TestWhatIsNoJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"t":21.5}`:                     "",
		" [1, 2]\r\n":                    "",
		`"text"`:                         "",
		`{"t":21.5}` + "\x00":            "1 NUL behind the value, at byte 10 of 11",
		`{"t":21.5}` + "\x00\x00\x00":    "3 NUL behind",
		`{"t":21.5}` + "\x00}":           "behind the value, at byte 10",
		`{"t":21.5}{"t":21.5}`:           "behind the value, at byte 10",
		`{"t":21.5} garbage`:             `"garbage" behind the value`,
		`{"t":nan}`:                      "nan at byte 5",
		`{"t":NaN}`:                      "NaN at byte 5",
		`{"t":inf}`:                      "inf at byte 5",
		`{"t":-inf}`:                     "inf at byte 6",
		`{"t":Infinity}`:                 "at byte 5, and JSON has no such number",
		`{"t":21,5}`:                     "not JSON",
		`{"t":21.5`:                      "not JSON",
		`temperature=21.5`:               "not JSON",
		`{"name":"nan","t":21,5}`:        "not JSON",
		"\x00" + `{"t":21.5}`:            "not JSON",
		"devices/{\"seq\":1}":            "not JSON",
		`{"n":` + "12\x00" + `,"t":1.0}`: "not JSON",
	} {
		if seen, look := notJSON([]byte(text)); (seen == "") != (want == "") || !strings.Contains(seen, want) || (seen != "") != (look != "") {
			t.Errorf("%q: %q, want %q; look first: %q", text, seen, want, look)
		}
	}
}

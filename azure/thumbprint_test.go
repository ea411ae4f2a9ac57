package azure

import (
	"errors"
	"strings"
	"testing"
)

// Thumbprints come out of dialogues, tools and mails, with what these put
// around and between the digits.
func TestAPastedThumbprintIsTaken(t *testing.T) {
	sha1, sha256 := strings.Repeat("0A1B", 10), strings.Repeat("C9F0", 16)
	pairs := func(s, separator string) string {
		var parts []string
		for i := 0; i < len(s); i += 2 {
			parts = append(parts, s[i:i+2])
		}
		return strings.Join(parts, separator)
	}
	for name, c := range map[string][2]string{
		"plain":                          {sha1, sha1},
		"lower case":                     {strings.ToLower(sha256), sha256},
		"openssl 3":                      {"sha1 Fingerprint=" + pairs(sha1, ":") + "\n", sha1},
		"openssl 1.1":                    {"SHA256 Fingerprint=" + pairs(sha256, ":") + "\r\n", sha256},
		"certs show":                     {"SHA-1 thumbprint    " + sha1, sha1},
		"certs show, SHA-256":            {"SHA-256 thumbprint  " + sha256, sha256},
		"keytool":                        {"\t SHA1: " + pairs(sha1, ":"), sha1},
		"the dialogue of Windows":        {"\u200e" + pairs(strings.ToLower(sha1), " "), sha1},
		"a web page":                     {"\ufeff" + pairs(sha1, "\u00a0") + "\u200b", sha1},
		"two lines":                      {sha256[:32] + "\n" + sha256[32:], sha256},
		"two lines of a mail of Windows": {sha256[:32] + "\r\n  " + sha256[32:], sha256},
		"quotes":                         {`"` + sha1 + `"`, sha1},
		"dashes":                         {pairs(sha1, "-"), sha1},
	} {
		if got, err := ParseThumbprint(c[0]); err != nil || got != c[1] {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatIsNoThumbprintSaysWhy(t *testing.T) {
	for text, says := range map[string]string{
		"":                                 "this is 0 characters",
		"abcd":                             "this is 4 characters",
		strings.Repeat("A", 41):            "this is 41 characters",
		strings.Repeat("A", 39) + "O":      "'O' at character 40",
		strings.Repeat("A", 39) + "\u0410": "U+0410", // a Cyrillic letter that looks like one
		"sha1 Fingerprint=" + strings.Repeat("A", 64): "not of SHA-1",
		"7jnQkZ3W1c8l4cB9Zt3cX0sN2pE=":                "'j'",
		"<SHA-256 thumbprint>":                        "'<'",
	} {
		if got, err := ParseThumbprint(text); !errors.Is(err, ErrThumbprint) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %q, %v does not say %s", text, got, err, says)
		}
	}
}

func TestADeviceWithItsThumbprint(t *testing.T) {
	print := strings.Repeat("AB", 20)
	for text, want := range map[string]string{
		"NewDevice=" + print: "NewDevice", "a=b=" + print: "a=b", "D=sha1 Fingerprint=" + print: "D", "a=b=SHA1 Fingerprint=" + print + "\n": "a=b",
	} {
		if id, got, err := ParseRegistered(text); err != nil || id != want || got != print {
			t.Errorf("%q: %q %q, %v", text, id, got, err)
		}
	}
	for text, want := range map[string]error{
		"": ErrRegistered, "a": ErrRegistered, "=" + print: ErrRegistered, "a=": ErrRegistered, "a= ": ErrRegistered, print: ErrRegistered, "a=12": ErrThumbprint,
		"a+b=" + print: ErrDeviceID, " a=" + print: ErrDeviceID, "a#=" + print: ErrDeviceID, "ü=" + print: ErrDeviceID,
	} {
		if _, _, err := ParseRegistered(text); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzThumbprint(f *testing.F) {
	f.Add("D=sha1 Fingerprint=" + strings.Repeat("AB:", 20))
	f.Add("\u200eab")
	f.Fuzz(func(t *testing.T, text string) {
		_, print, err := ParseRegistered(text)
		if err == nil && (len(print) != 40 && len(print) != 64 || strings.Trim(print, "0123456789ABCDEF") != "") {
			t.Errorf("%q gives %q", text, print)
		}
	})
}

package labcommand_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"hilrig/record/labcommand"
)

// What lets somebody in is often a part of what a variable holds.
func TestAPartOfASecretIsOneToo(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte("admin:swordfish"))
	for name, c := range map[string]struct{ secret, said, shown string }{
		"whole":                        {"Bearer swordfish", "got Bearer swordfish", "got ***"},
		"behind its scheme":            {"Bearer swordfish", "no such token: swordfish", "no such token: ***"},
		"behind one in small":          {"token  swordfish", "swordfish?", "***?"},
		"a parameter of a scheme":      {`Token token="swordfish", user="me"`, "swordfish of me", "*** of me"},
		"base64 of a basic value":      {"Basic " + basic, "got " + basic, "got ***"},
		"user and password":            {"Basic " + basic, "admin:swordfish is unknown", "*** is unknown"},
		"a password alone":             {"Basic " + basic, "admin, swordfish is wrong", "admin, *** is wrong"},
		"one with a colon":             {"Basic " + base64.StdEncoding.EncodeToString([]byte("me:sword:fish")), "not sword:fish", "not ***"},
		"base64 without a scheme":      {basic, "swordfish", "***"},
		"without padding":              {"Basic " + base64.RawURLEncoding.EncodeToString([]byte("admin:swordfish?>")), "swordfish?>", "***"},
		"in clear":                     {"admin:swordfish", "Basic " + basic, "Basic ***"},
		"with blanks around":           {" swordfish\n", "swordfish.", "***."},
		"a URL's password":             {"https://me:sword%2Ffish@pdu.lab/on", "me and sword/fish at pdu.lab", "me and *** at pdu.lab"},
		"a URL's query":                {"https://pdu.lab/on?port=7&token=swordfish", "port=7&token=swordfish", "port=7&token=***"},
		"a connection string's":        {"HostName=hub;SharedAccessKey=c3dvcmQ=", "c3dvcmQ= at hub", "*** at hub"},
		"another word is none":         {"Bearer swordfish", "Bearer of bad news", "Bearer of bad news"},
		"a clock's time is no account": {"12:30", "at 30 degrees", "at 30 degrees"},
	} {
		if shown := labcommand.Masks(c.secret).Replace(c.said); shown != c.shown {
			t.Errorf("%s: %q, want %q", name, shown, c.shown)
		}
	}
}

// A server and a tool may show a secret in another coding.
func TestASecretIsMaskedInEveryCoding(t *testing.T) {
	t.Parallel()
	const secret = `sw/rd "fish"&é`
	for name, said := range map[string]string{
		"URL query":         "sw%2Frd+%22fish%22%26%C3%A9",
		"URL path":          "sw%2Frd%20%22fish%22&%C3%A9",
		"small escapes":     "sw%2frd+%22fish%22%26%c3%a9",
		"each escaped":      "%73%77%2F%72%64%20%22%66%69%73%68%22%26%C3%A9",
		"JSON":              `sw/rd \"fish\"\u0026é`,
		"a quoted text":     `sw/rd \"fish\"&é`,
		"quoted as ASCII":   `sw/rd \"fish\"&\u00e9`,
		"HTML":              "sw/rd &#34;fish&#34;&amp;é",
		"HTML by names":     "sw/rd &quot;fish&quot;&amp;é",
		"base64":            base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of URLs":    base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"hex":               hex.EncodeToString([]byte(secret)),
		"hex in capitals":   strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"hex with blanks":   "73 77 2f 72 64 20 22 66 69 73 68 22 26 c3 a9",
		"hex with colons":   "73:77:2f:72:64:20:22:66:69:73:68:22:26:c3:a9",
		"hex numbers":       "0x73, 0x77, 0x2f, 0x72, 0x64, 0x20, 0x22, 0x66, 0x69, 0x73, 0x68, 0x22, 0x26, 0xc3, 0xa9",
		"decimal numbers":   "115, 119, 47, 114, 100, 32, 34, 102, 105, 115, 104, 34, 38, 195, 169",
		"octal escapes":     `\163\167\057\162\144\040\042\146\151\163\150\042\046\303\251`,
		"hex escapes":       `\x73\x77\x2f\x72\x64\x20\x22\x66\x69\x73\x68\x22\x26\xc3\xa9`,
		"a number for each": "[115 119 47 114 100 32 34 102 105 115 104 34 38 195 169]",
	} {
		shown := labcommand.Masks(secret).Replace("no such key <" + said + ">")
		if shown != "no such key <***>" && shown != "no such key <[***]>" {
			t.Errorf("%s: %s", name, shown)
		}
	}
	for _, before := range []string{"", "x", "xy"} {
		said := base64.StdEncoding.EncodeToString([]byte(before + `{"key":"swordfish"}`))
		shown := labcommand.Masks("swordfish").Replace(said)
		kept := strings.Split(shown, "***")
		if plain, _ := base64.RawStdEncoding.DecodeString(kept[len(kept)-1]); len(kept) != 2 || strings.Contains(string(plain), "fish") {
			t.Errorf("within base64 at %d: %s of %s", len(before), shown, said)
		}
	}
}

// What is short is in every line: no coding of it is looked for.
func TestAShortSecretHidesNoOtherWord(t *testing.T) {
	t.Parallel()
	if shown := labcommand.Masks("1", "", " ").Replace("31 of 0x31: MQ=="); shown != "3*** of 0x3***: MQ==" {
		t.Error(shown)
	}
}

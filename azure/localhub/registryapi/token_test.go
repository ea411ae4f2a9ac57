package registryapi

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The one that Azure's page on shared access signatures would make of these:
// computed with openssl dgst -sha256 -mac HMAC.
func TestSignature(t *testing.T) {
	k := Key{[]byte("0123456789abcdef0123456789abcdef")}
	got := base64.StdEncoding.EncodeToString(k.sign("myhub.azure-devices.net%2Fdevices", 1700000000))
	if want := "bcWIvqJXCP3NJh17lxOkjHhW5S7k7/idBzKdZNS7kvU="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseToken(t *testing.T) {
	good := Key{make([]byte, 32)}.Token("myhub:8443", time.Unix(1700000000, 0))
	fields := strings.TrimPrefix(good, "SharedAccessSignature ")
	sig := strings.Split(fields, "&")[1]
	for name, x := range map[string]struct {
		text string
		ok   bool
	}{
		"good":               {good, true},
		"another order":      {"SharedAccessSignature skn=iothubowner&se=1700000000&" + sig + "&sr=myhub%3A8443", true},
		"the scheme's case":  {"sharedaccesssignature " + fields, true},
		"base64 as it is":    {"SharedAccessSignature sr=a&sig=+/+=&se=1&skn=b", true},
		"empty":              {"", false},
		"another scheme":     {"Bearer " + fields, false},
		"no fields":          {"SharedAccessSignature ", false},
		"no sr":              {strings.Replace(good, "sr=", "rs=", 1), false},
		"no skn":             {strings.Split(good, "&skn")[0], false},
		"an empty field":     {strings.Replace(good, "iothubowner", "", 1), false},
		"a field twice":      {good + "&se=1800000000", false},
		"a field more":       {good + "&x=1", false},
		"an expiry in words": {strings.Replace(good, "1700000000", "tomorrow", 1), false},
		"an expiry too far":  {strings.Replace(good, "1700000000", "99999999999999999999", 1), false},
		"a negative expiry":  {strings.Replace(good, "1700000000", "-1", 1), false},
		"no base64":          {"SharedAccessSignature sr=a&sig=%21&se=1&skn=b", false},
		"a bad escape":       {"SharedAccessSignature sr=a&sig=%2&se=1&skn=b", false},
		"too long":           {good + strings.Repeat("x", maxToken), false},
	} {
		_, err := parseToken(x.text)
		if (err == nil) != x.ok || err != nil && !errors.Is(err, errToken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, x := range []struct {
		resource, path string
		want           bool
	}{
		{"myhub", "/devices/a", true},
		{"MyHub", "/devices", true},
		{"myhub/", "/twins/a", true},
		{"myhub%3A8443", "/devices/a", true},
		{"myhub%2Fdevices", "/devices/a", true},
		{"myhub%2Fdevices%2F", "/devices/a", true},
		{"myhub%2Fdevices%2Fa%23b", "/devices/a%23b", true},
		{"myhub%2Fdevices%2Fa", "/devices/ab", false},
		{"myhub%2Fdevices", "/twins/a", false},
		{"myhub:x", "/devices/a", false},
		{"other", "/devices/a", false},
		{"myhub.example.org", "/devices/a", false},
		{"%", "/devices/a", false},
		{"", "/devices/a", false},
	} {
		if got := covers(x.resource, "myhub", x.path); got != x.want {
			t.Errorf("%s for %s: %v, want %v", x.resource, x.path, got, x.want)
		}
	}
}

// What is taken has four fields that can be written again and read the same;
// what is not is said in a line that repeats nothing of it.
func FuzzParseToken(f *testing.F) {
	f.Add(Key{make([]byte, 32)}.Token("myhub", time.Unix(1700000000, 0)))
	f.Add("SharedAccessSignature sr=a&sig=+/+=&se=1&skn=b%20c")
	f.Add("SharedAccessSignature sr&sig=%zz&se=-1&skn=&&")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseToken(text)
		if err != nil {
			if !errors.Is(err, errToken) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 100 {
				t.Fatalf("error %q", err)
			}
			return
		}
		again := "SharedAccessSignature sr=" + got.resource + "&sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(got.signature)) +
			"&se=" + strconv.FormatInt(got.expires, 10) + "&skn=" + url.QueryEscape(got.policy)
		if len(again) > maxToken {
			return
		}
		twice, err := parseToken(again)
		if err != nil && got.policy != "" || err == nil && (twice.resource != got.resource || string(twice.signature) != string(got.signature) || twice.expires != got.expires || twice.policy != got.policy) {
			t.Fatalf("%q reads %+v, written again %q reads %+v (%v)", text, got, again, twice, err)
		}
	})
}

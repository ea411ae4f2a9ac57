package access_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// A key of no hub.
var (
	secret = []byte("hilrig: a key of no hub, 32 bytes")
	key    = base64.StdEncoding.EncodeToString(secret)
	text   = "HostName=rig.azure-devices.net;SharedAccessKeyName=registryReadWrite;SharedAccessKey=" + key
)

func connection(t *testing.T, text string) access.Connection {
	t.Helper()
	c, err := access.ParseConnectionString(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hides fails where the key is in what a person or a program may read, in
// whatever coding.
func hides(t *testing.T, what, output string) {
	t.Helper()
	for _, form := range []string{string(secret), key, url.QueryEscape(key), base64.RawStdEncoding.EncodeToString(secret), base64.URLEncoding.EncodeToString(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint(secret)} {
		if strings.Contains(output, form) || strings.Contains(output, strings.Trim(form, "[]")) {
			t.Errorf("%s holds the key: %s", what, output)
		}
	}
}

func TestConnectionStrings(t *testing.T) {
	hub := access.Connection{HostName: "rig.azure-devices.net", KeyName: "registryReadWrite"}
	for name, x := range map[string]struct {
		text string
		port string
		want bool
	}{
		"as Azure shows it":         {text, "", true},
		"with a line's end":         {text + "\r\n", "", true},
		"with a byte order mark":    {"\ufeff" + text, "", true},
		"in quotes":                 {`"` + text + `"`, "", true},
		"with a last semicolon":     {text + ";", "", true},
		"in another order":          {"SharedAccessKey=" + key + ";HostName=rig.azure-devices.net;SharedAccessKeyName=registryReadWrite", "", true},
		"names in another case":     {strings.ReplaceAll(text, "HostName", "hostname"), "", true},
		"with a port":               {strings.Replace(text, ".net", ".net:8443", 1), "8443", true},
		"empty":                     {"", "", false},
		"no fields":                 {key, "", false},
		"no key":                    {text[:strings.LastIndex(text, ";")], "", false},
		"a key that is cut":         {text[:len(text)-3], "", false},
		"a short key":               {text[:strings.LastIndex(text, "=")-40] + "=YWJj", "", false},
		"a device's":                {"HostName=rig.azure-devices.net;DeviceId=d;SharedAccessKey=" + key, "", false},
		"the Event Hubs endpoint's": {"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=service;SharedAccessKey=" + key, "", false},
		"a host that is too long":   {strings.Replace(text, "rig.azure", strings.Repeat("x", 254), 1), "", false},
		"a host that is none":       {strings.Replace(text, "rig.azure", "ri g/azure", 1), "", false},
		"a field twice":             {text + ";HostName=other", "", false},
	} {
		got, err := access.ParseConnectionString(x.text)
		if x.want {
			hub.Port = x.port
			if err != nil || got.HostName != hub.HostName || got.KeyName != hub.KeyName || got.Port != hub.Port {
				t.Errorf("%s: %v, %v", name, got, err)
			}
			continue
		}
		var f *record.Failure
		if !errors.As(err, &f) || f.Class != record.Usage || f.Cure == "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		hides(t, name, err.Error())
	}
}

// The signatures are those of Microsoft's azure-iot-common 1.14 for Node.
func TestTokens(t *testing.T) {
	at := time.Unix(1893456000, 0)
	for _, x := range []struct{ text, resource, want string }{
		{text, "rig.azure-devices.net", "SharedAccessSignature sr=rig.azure-devices.net&sig=KLmPrXKa5uTtJMfvykEB5SmFkegTMhpAsBpgyJvKjAw%3D&skn=registryReadWrite&se=1893456000"},
		{
			"HostName=hub-1.azure-devices.net;SharedAccessKeyName=a/b+c;SharedAccessKey=" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)),
			"hub-1.azure-devices.net", "SharedAccessSignature sr=hub-1.azure-devices.net&sig=DnGTuK6byJKDw9ZCxktDP9kKIki98mAiL2i%2FbdjZ4k8%3D&skn=a%2Fb%2Bc&se=1893456000",
		},
	} {
		if got := connection(t, x.text).Token(x.resource, at); got != x.want {
			t.Errorf("got  %s\nwant %s", got, x.want)
		}
	}
}

func TestConnectionIsReadAgain(t *testing.T) {
	c := connection(t, text)
	if got := c.ConnectionString(); got != text {
		t.Error("another one is written than was read")
	}
	path := filepath.Join(t.TempDir(), "hub.connection")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RIG_HUB", text)
	for name, from := range map[string]func(string) (access.Connection, error){path: access.FromFile, "RIG_HUB": access.FromEnvironment} {
		if got, err := from(name); err != nil || got.ConnectionString() != text {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// What editors and shells leave around a text is no part of it, of whatever kind
// the connection string is.
func TestTextsAreReadBare(t *testing.T) {
	const events = "Endpoint=sb://e.servicebus.windows.net/;SharedAccessKeyName=service;SharedAccessKey=a2V5;EntityPath=e"
	path := filepath.Join(t.TempDir(), "events.connection")
	for _, around := range []string{"%s", "%s\r\n", "\ufeff%s\n", "\"%s\"\n", "'%s'"} {
		held := fmt.Sprintf(around, events)
		if err := os.WriteFile(path, []byte(held), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("RIG_EVENTS", held)
		for name, from := range map[string]func(string) (string, error){path: access.TextFromFile, "RIG_EVENTS": access.TextFromEnvironment} {
			if got, err := from(name); err != nil || got != events {
				t.Errorf("%q in %s: %v, another text: %v", around, name, err, got != events)
			}
		}
	}
}

func TestSourcesThatHoldNone(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RIG_EMPTY", "")
	for name, from := range map[string]func(string) (access.Connection, error){
		empty: access.FromFile, empty + ".not": access.FromFile, filepath.Dir(empty): access.FromFile,
		"RIG_EMPTY": access.FromEnvironment, "RIG_NOT_SET": access.FromEnvironment, text: access.FromEnvironment,
	} {
		_, err := from(name)
		var f *record.Failure
		if !errors.As(err, &f) || f.Class != record.Usage || f.Cure == "" {
			t.Errorf("%v", err)
			continue
		}
		hides(t, "error", err.Error())
	}
}

func TestKeyIsMasked(t *testing.T) {
	c := connection(t, text)
	way := access.ByKey(c)
	token, err := way.GetToken(t.Context(), policy.TokenRequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, signature, _ := strings.Cut(token.Token, "sig=")
	signature, _, _ = strings.Cut(signature, "&")
	holder := struct {
		Shown  access.Connection
		hidden access.Connection
		Way    access.Credential
		way    access.Credential
	}{c, c, way, way}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, what := range []any{c, &c, holder, &holder, holder.Way, []access.Connection{c}} {
			said := fmt.Sprintf(verb, what)
			hides(t, verb, said)
			if strings.Contains(said, signature) {
				t.Errorf("%s shows a token", verb)
			}
		}
	}
	data, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	hides(t, "JSON", string(data))
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("hub", "connection", c, "holder", holder, "credential", holder.Way)
	}
	hides(t, "log", log.String())
	if !strings.Contains(log.String(), "rig.azure-devices.net") {
		t.Errorf("log %s", &log)
	}
}

package registryapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/registryapi"
)

const version = "api-version=2021-04-12"

var (
	sha1a, sha1b = strings.Repeat("A", 40), strings.Repeat("B", 40)
	sha256a      = strings.Repeat("C", 64)
)

// rig is a hub that does not listen and its registry, over plain HTTP.
type rig struct {
	t   *testing.T
	hub *localhub.Hub
	url string
	key registryapi.Key
}

func start(t *testing.T, change ...func(*registryapi.Config)) *rig {
	t.Helper()
	hub, err := localhub.New(localhub.Config{Host: "localhost", Certificate: tls.Certificate{Certificate: [][]byte{{0}}}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := registryapi.OpenKey(t.Context(), filepath.Join(t.TempDir(), "registry"))
	if err != nil {
		t.Fatal(err)
	}
	c := registryapi.Config{Host: "localhost", Hub: hub, Key: key}
	for _, f := range change {
		f(&c)
	}
	s := registryapi.New(c)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		h.Close()
		if err := errors.Join(s.Close(ctx), hub.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &rig{t, hub, h.URL, key}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// code is IoT Hub's name of an error, from the body as SDKs read it.
func (a answer) code() string {
	var b struct{ Message string }
	if json.Unmarshal([]byte(a.body), &b) != nil {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(b.Message, "ErrorCode:"), ";")
	return name
}

func (r *rig) do(method, path, body string, headers ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", r.key.Token("localhost", time.Now().Add(time.Hour)))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

func (r *rig) put(id, body string, headers ...string) answer {
	r.t.Helper()
	return r.do("PUT", "/devices/"+id+"?"+version, body, headers...)
}

// device is the body that registers one.
func device(id string, prints ...string) string {
	for len(prints) < 2 {
		prints = append(prints, "")
	}
	return fmt.Sprintf(`{"deviceId":%q,"status":"enabled","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":%q,"secondaryThumbprint":%q}}}`, id, prints[0], prints[1])
}

func TestDeviceIsRegisteredWithTheHub(t *testing.T) {
	r := start(t)
	a := r.put("NewDevice", device("NewDevice", strings.ToLower(sha1a), sha1b))
	if a.status != 200 || a.header.Get("ETag") == "" {
		t.Fatalf("got %+v", a)
	}
	d, known := r.hub.Lookup("NewDevice")
	if !known || d.Disabled || fmt.Sprint(d.Thumbprints) != fmt.Sprint([]string{sha1a, sha1b}) {
		t.Errorf("the hub has %+v, %v", d, known)
	}
	var got struct {
		DeviceID, ETag, GenerationID, Status, ConnectionState string
		Authentication                                        struct {
			Type           string
			X509Thumbprint struct{ PrimaryThumbprint, SecondaryThumbprint string }
		}
	}
	same := r.do("GET", "/devices/NewDevice?"+version, "")
	if same.status != 200 || same.body != strings.ReplaceAll(a.body, `T00:00:00"`, `T00:00:00Z"`) || json.Unmarshal([]byte(same.body), &got) != nil {
		t.Fatalf("got %+v", same)
	}
	if got.DeviceID != "NewDevice" || got.Status != "enabled" || got.ConnectionState != "Disconnected" || got.GenerationID == "" ||
		`"`+got.ETag+`"` != a.header.Get("ETag") || got.Authentication.Type != "selfSigned" ||
		got.Authentication.X509Thumbprint.PrimaryThumbprint != sha1a || got.Authentication.X509Thumbprint.SecondaryThumbprint != sha1b {
		t.Errorf("got %+v", got)
	}
	if a := r.do("DELETE", "/devices/NewDevice?"+version, "", "If-Match", "*"); a.status != 204 || a.body != "" {
		t.Errorf("got %+v", a)
	}
	if _, known := r.hub.Lookup("NewDevice"); known {
		t.Error("the hub still knows it")
	}
}

// What was in --device, or came by another way, is there too.
func TestDevicesOfTheHubAreSeen(t *testing.T) {
	r := start(t)
	r.hub.Register(hub.Device{ID: "b", Thumbprints: []string{sha256a}})
	first := r.do("GET", "/devices/b?"+version, "")
	r.hub.Register(hub.Device{ID: "b", Thumbprints: []string{sha256a}, Disabled: true})
	second := r.do("GET", "/devices/b?"+version, "")
	if first.status != 200 || second.status != 200 || first.header.Get("ETag") == second.header.Get("ETag") || !strings.Contains(second.body, `"status":"disabled"`) {
		t.Errorf("got %+v, then %+v", first, second)
	}
}

func TestRefusals(t *testing.T) {
	r := start(t)
	r.put("there", device("there", sha1a))
	good := device("new", sha1a)
	long := strings.Repeat("x", 129)
	for _, x := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
	}{
		{"unknown", "GET", "/devices/nobody?" + version, "", nil, 404, "DeviceNotFound"},
		{"unknown, changed", "PUT", "/devices/new?" + version, good, []string{"If-Match", "*"}, 404, "DeviceNotFound"},
		{"unknown, taken out", "DELETE", "/devices/nobody?" + version, "", nil, 404, "DeviceNotFound"},
		{"case counts", "GET", "/devices/There?" + version, "", nil, 404, "DeviceNotFound"},
		{"there already", "PUT", "/devices/there?" + version, device("there", sha1a), nil, 409, "DeviceAlreadyExists"},
		{"another ETag", "PUT", "/devices/there?" + version, device("there", sha1a), []string{"If-Match", `"AAAA"`}, 412, "PreconditionFailed"},
		{"another ETag, taken out", "DELETE", "/devices/there?" + version, "", []string{"If-Match", `"AAAA"`}, 412, "PreconditionFailed"},
		{"no api-version", "GET", "/devices/there", "", nil, 400, "InvalidProtocolVersion"},
		{"an odd api-version", "GET", "/devices/there?api-version=1", "", nil, 400, "InvalidProtocolVersion"},
		{"no body", "PUT", "/devices/new?" + version, "", nil, 400, "ArgumentInvalid"},
		{"no JSON", "PUT", "/devices/new?" + version, "{", nil, 400, "ArgumentInvalid"},
		{"two bodies", "PUT", "/devices/new?" + version, good + good, nil, 400, "ArgumentInvalid"},
		{"a wrong type", "PUT", "/devices/new?" + version, `{"deviceId":1}`, nil, 400, "ArgumentInvalid"},
		{"another id", "PUT", "/devices/other?" + version, good, nil, 400, "ArgumentInvalid"},
		{"no id's character", "PUT", "/devices/a%20b?" + version, device("a b", sha1a), nil, 400, "ArgumentInvalid"},
		{"a long id", "PUT", "/devices/" + long + "?" + version, device(long, sha1a), nil, 400, "ArgumentInvalid"},
		{"no thumbprint", "PUT", "/devices/new?" + version, device("new"), nil, 400, "ArgumentInvalid"},
		{"no authentication", "PUT", "/devices/new?" + version, `{"deviceId":"new"}`, nil, 400, "ArgumentInvalid"},
		{"a key", "PUT", "/devices/new?" + version, `{"deviceId":"new","authentication":{"type":"sas"}}`, nil, 400, "ArgumentInvalid"},
		{"by authority", "PUT", "/devices/new?" + version, `{"deviceId":"new","authentication":{"type":"certificateAuthority"}}`, nil, 400, "ArgumentInvalid"},
		{"no hex", "PUT", "/devices/new?" + version, device("new", strings.Repeat("G", 40)), nil, 400, "ArgumentInvalid"},
		{"no thumbprint's length", "PUT", "/devices/new?" + version, device("new", "AB"), nil, 400, "ArgumentInvalid"},
		{"SHA-1 and SHA-256", "PUT", "/devices/new?" + version, device("new", sha1a, sha256a), nil, 400, "ArgumentInvalid"},
		{"no status", "PUT", "/devices/new?" + version, strings.Replace(good, "enabled", "on", 1), nil, 400, "ArgumentInvalid"},
		{"an edge device", "PUT", "/devices/new?" + version, strings.Replace(good, `{`, `{"capabilities":{"iotEdge":true},`, 1), nil, 400, "ArgumentInvalid"},
		{"a long reason", "PUT", "/devices/new?" + version, strings.Replace(good, `{`, `{"statusReason":"`+long+`",`, 1), nil, 400, "ArgumentInvalid"},
		{"too large", "PUT", "/devices/new?" + version, `{"deviceId":"` + strings.Repeat("x", 256<<10) + `"}`, nil, 413, "MessageTooLarge"},
		{"no number", "GET", "/devices?top=x&" + version, "", nil, 400, "ArgumentInvalid"},
		{"another query", "POST", "/devices/query?" + version, `{"query":"SELECT deviceId FROM devices"}`, nil, 400, "ArgumentInvalid"},
		{"no page size", "POST", "/devices/query?" + version, `{"query":"SELECT * FROM devices"}`, []string{"x-ms-max-item-count", "0"}, 400, "ArgumentInvalid"},
		{"no continuation", "POST", "/devices/query?" + version, `{"query":"SELECT * FROM devices"}`, []string{"x-ms-continuation", "!"}, 400, "ArgumentInvalid"},
		{"an unknown twin", "GET", "/twins/nobody?" + version, "", nil, 404, "DeviceNotFound"},
		{"an unknown twin, patched", "PATCH", "/twins/nobody?" + version, `{}`, nil, 404, "DeviceNotFound"},
		{"another twin's ETag", "PATCH", "/twins/there?" + version, `{}`, []string{"If-Match", `"x"`}, 412, "PreconditionFailed"},
		{"tags with a dot", "PATCH", "/twins/there?" + version, `{"tags":{"a.b":1}}`, nil, 400, "ArgumentInvalid"},
		{"a desired array", "PATCH", "/twins/there?" + version, `{"properties":{"desired":[]}}`, nil, 400, "ArgumentInvalid"},
		{"by another method", "POST", "/devices/there?" + version, `{}`, nil, 405, "MethodNotAllowed"},
		{"another resource", "GET", "/jobs?" + version, "", nil, 404, "NotFound"},
	} {
		a := r.do(x.method, x.path, x.body, x.headers...)
		if a.status != x.status || a.code() != x.code || a.header.Get("iothub-errorcode") != x.code {
			t.Errorf("%s: got %d %s, want %d %s; %s", x.name, a.status, a.code(), x.status, x.code, a.body)
		}
	}
	if d := r.hub.Devices(); len(d) != 1 || d[0].ID != "there" {
		t.Errorf("a refusal left something behind: %v", d)
	}
}

func TestOptimisticConcurrency(t *testing.T) {
	r := start(t)
	first := r.put("d", device("d", sha1a)).header.Get("ETag")
	second := r.put("d", device("d", sha1b), "If-Match", first)
	if second.status != 200 || second.header.Get("ETag") == first {
		t.Fatalf("got %+v after %s", second, first)
	}
	if a := r.put("d", device("d", sha1a), "If-Match", first); a.status != 412 {
		t.Errorf("an old ETag: got %+v", a)
	}
	for _, tag := range []string{`"zzz", W/` + second.header.Get("ETag"), "*", `"*"`} {
		if a := r.put("d", device("d", sha1a), "If-Match", tag); a.status != 200 {
			t.Errorf("%s: got %+v", tag, a)
		}
	}
	generation := func() (id struct{ GenerationID string }) {
		if err := json.Unmarshal([]byte(r.do("GET", "/devices/d?"+version, "").body), &id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := generation()
	r.do("DELETE", "/devices/d?"+version, "")
	r.put("d", device("d", sha1a))
	if after := generation(); after == before {
		t.Errorf("made anew it is of the same generation, %v", after)
	}
}

func TestIdsWithEverySpecial(t *testing.T) {
	r := start(t)
	id := "a-.%_*?!(),=@$':b"
	path := "/devices/a-.%25_*%3F!()%2C%3D%40%24'%3Ab?" + version
	if a := r.do("PUT", path, device(id, sha1a)); a.status != 200 {
		t.Fatalf("got %+v", a)
	}
	if _, known := r.hub.Lookup(id); !known {
		t.Errorf("the hub has %v", r.hub.Devices())
	}
	for path, id := range map[string]string{"/devices/a%2Bb?": "a+b", "/devices/a%23b?": "a#b", "/devices/a%3Bb?": "a;b"} {
		if a := r.do("PUT", path+version, device(id, sha1a)); a.status != 400 {
			t.Errorf("%s: got %+v", id, a)
		}
	}
	if a := r.put("query", device("query", sha1a)); a.status != 200 {
		t.Errorf("a device by the name of query: %+v", a)
	}
}

func ids(t *testing.T, body string) string {
	t.Helper()
	var list []struct{ DeviceID string }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var all []string
	for _, d := range list {
		all = append(all, d.DeviceID)
	}
	return strings.Join(all, " ")
}

func TestListAndQuery(t *testing.T) {
	r := start(t)
	for _, id := range []string{"c", "a", "e", "b", "d"} {
		r.put(id, device(id, sha1a))
	}
	r.put("d", strings.Replace(device("d", sha1a), "enabled", "disabled", 1), "If-Match", "*")
	for query, want := range map[string]string{"": "a b c d e", "top=2&": "a b", "top=0&": "a b c d e", "top=5000&": "a b c d e"} {
		if got := ids(t, r.do("GET", "/devices?"+query+version, "").body); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"SELECT * FROM devices":                                   "a b c d e",
		"select * from devices where deviceId = 'b'":              "b",
		`SELECT * FROM devices WHERE status = \"disabled\"`:       "d",
		"SELECT * FROM devices WHERE connectionState='Connected'": "",
	} {
		a := r.do("POST", "/devices/query?"+version, `{"query":"`+query+`"}`)
		if got := ids(t, a.body); got != want || a.header.Get("x-ms-item-type") != "Twin" {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	var pages []string
	for next := ""; len(pages) < 5; {
		a := r.do("POST", "/devices/query?"+version, `{"query":"SELECT * FROM devices"}`, "x-ms-max-item-count", "2", "x-ms-continuation", next)
		pages = append(pages, ids(t, a.body))
		if next = a.header.Get("x-ms-continuation"); next == "" {
			break
		}
	}
	if got := strings.Join(pages, "|"); got != "a b|c d|e" {
		t.Errorf("pages %s", got)
	}
}

// A tool that sweeps by query misses what it registered just before.
func TestQueriesLagWhereAskedFor(t *testing.T) {
	for _, c := range []struct{ delay, passed time.Duration }{{0, 0}, {6 * time.Second, 0}, {6 * time.Second, 6*time.Second - 1}, {6 * time.Second, 6 * time.Second}} {
		t.Run(fmt.Sprintf("%s after a PUT, with a delay of %s", c.passed, c.delay), func(t *testing.T) {
			began, passed := time.Now(), time.Duration(0)
			r := start(t, func(config *registryapi.Config) {
				config.QueryDelay, config.Now = c.delay, func() time.Time { return began.Add(passed) }
			})
			query := func() string {
				return ids(t, r.do("POST", "/devices/query?"+version, `{"query":"SELECT * FROM devices"}`).body)
			}
			r.hub.Register(hub.Device{ID: "before", Thumbprints: []string{sha1a}})
			r.put("fresh", device("fresh", sha1a))
			r.do("POST", "/devices?"+version, `[{"id":"inbulk","importMode":"create","status":"enabled","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"`+sha1a+`"}}}]`)
			if got := ids(t, r.do("GET", "/devices?"+version, "").body); got != "before fresh inbulk" {
				t.Fatalf("listed at once: %s", got)
			}
			passed = c.passed
			want := "before fresh inbulk"
			if c.passed < c.delay {
				want = "before"
			}
			if got := query(); got != want {
				t.Errorf("found %s, want %s", got, want)
			}
			if c.passed < c.delay {
				return
			}
			r.put("fresh", strings.Replace(device("fresh", sha1a), "enabled", "disabled", 1), "If-Match", "*")
			if got := query(); got != want {
				t.Errorf("after a change: found %s, want %s", got, want)
			}
			r.do("DELETE", "/devices/fresh?"+version, "", "If-Match", "*")
			r.put("fresh", device("fresh", sha1a))
			if got := query(); (got == want) != (c.delay == 0) {
				t.Errorf("made anew: found %s", got)
			}
		})
	}
}

func TestTwin(t *testing.T) {
	r := start(t)
	r.put("d", device("d", sha1a))
	first := etagIn(t, r.do("GET", "/twins/d?"+version, "").body)
	a := r.do("PATCH", "/twins/d?"+version, `{"properties":{"desired":{"rate":5}}}`, "If-Match", first)
	if a.status != 200 || !strings.Contains(a.body, `"desired":{"rate":5,"$metadata":{"$lastUpdated":`) || etagIn(t, a.body) == first || a.header.Get("ETag") != "" {
		t.Fatalf("got %+v", a)
	}
	if a := r.do("PATCH", "/twins/d?"+version, `{"properties":{"desired":{"rate":6}}}`, "If-Match", first); a.status != 412 {
		t.Errorf("an old ETag: %+v", a)
	}
	if tw, _ := r.hub.Twin("d"); string(tw.Desired) != `{"rate":5,"$version":2}` {
		t.Errorf("the hub has %s", tw.Desired)
	}
}

// Errors of methods have a form of their own, with the number.
func TestMethodRefusals(t *testing.T) {
	r := start(t)
	r.put("d", device("d", sha1a))
	for _, x := range []struct {
		name, id, body string
		status, code   int
	}{
		{"unknown", "nobody", `{"methodName":"m"}`, 404, 404001},
		{"not connected", "d", `{"methodName":"m","responseTimeoutInSeconds":5,"payload":null}`, 404, 404103},
		{"no name", "d", `{"methodName":""}`, 400, 400004},
		{"too short a time", "d", `{"methodName":"m","responseTimeoutInSeconds":4}`, 400, 400004},
		{"too long a time", "d", `{"methodName":"m","responseTimeoutInSeconds":301}`, 400, 400004},
	} {
		a := r.do("POST", "/twins/"+x.id+"/methods?"+version, x.body)
		var b struct{ Message string }
		var m struct{ ErrorCode int }
		if err := errors.Join(json.Unmarshal([]byte(a.body), &b), json.Unmarshal([]byte(b.Message), &m)); err != nil || a.status != x.status || m.ErrorCode != x.code {
			t.Errorf("%s: got %d %s (%v), want %d %d", x.name, a.status, a.body, err, x.status, x.code)
		}
	}
}

func TestErrorsHaveTheDocumentedForm(t *testing.T) {
	r := start(t)
	a := r.do("GET", "/devices/nobody?"+version, "")
	var b struct{ Message, ExceptionMessage string }
	d := json.NewDecoder(bytes.NewBufferString(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil || !strings.HasPrefix(b.Message, "ErrorCode:DeviceNotFound;") || !strings.HasPrefix(b.ExceptionMessage, "Tracking ID:") {
		t.Errorf("%v: %s", err, a.body)
	}
}

package registryapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hilrig/azure/localhub/registryapi"
)

func TestTokens(t *testing.T) {
	now := time.Now()
	r := start(t)
	other, err := registryapi.OpenKey(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	good := r.key.Token("localhost", now.Add(time.Hour))
	for _, x := range []struct {
		name, token string
		status      int
	}{
		{"good", good, 200},
		{"with the registry's port", r.key.Token("localhost:8443", now.Add(time.Hour)), 200},
		{"the host's case", r.key.Token("LocalHost", now.Add(time.Hour)), 200},
		{"for the collection", r.key.Token("localhost/devices", now.Add(time.Hour)), 200},
		{"none", "", 401},
		{"another key's", other.Token("localhost", now.Add(time.Hour)), 401},
		{"run out", r.key.Token("localhost", now.Add(-time.Second)), 401},
		{"another hub's", r.key.Token("example.org", now.Add(time.Hour)), 401},
		{"for twins only", r.key.Token("localhost/twins", now.Add(time.Hour)), 401},
		{"for what begins alike", r.key.Token("localhost/dev", now.Add(time.Hour)), 401},
		{"of another policy", strings.Replace(good, "iothubowner", "device", 1), 401},
		{"its expiry changed", strings.Replace(good, "&se=1", "&se=2", 1), 401},
		{"another scheme", strings.Replace(good, "SharedAccessSignature", "Bearer", 1), 401},
	} {
		a := r.do("GET", "/devices?"+version, "", "Authorization", x.token)
		if a.status != x.status {
			t.Errorf("%s: got %d, want %d; %s", x.name, a.status, x.status, a.body)
		}
		if x.status == 401 && (a.code() != "IotHubUnauthorizedAccess" || !strings.Contains(a.body, ";Unauthorized")) {
			t.Errorf("%s: got %s", x.name, a.body)
		}
	}
}

// What is seen of a request holds neither token nor body.
func TestExchangesAreSeen(t *testing.T) {
	seen := make(chan registryapi.Exchange, 4)
	r := start(t, func(c *registryapi.Config) { c.Seen = func(x registryapi.Exchange) { seen <- x } })
	r.put("d", device("d", sha1a))
	r.do("GET", "/devices/e?"+version, "")
	a, b := <-seen, <-seen
	if a.Method != "PUT" || a.Path != "/devices/d" || a.Status != 200 || a.Code != "" || b.Status != 404 || b.Code != "DeviceNotFound" {
		t.Errorf("seen %+v and %+v", a, b)
	}
	if text := fmt.Sprintf("%+v%+v", a, b); strings.Contains(text, "sig=") || strings.Contains(text, sha1a) {
		t.Errorf("seen %s", text)
	}
}

// A request too many is throttled while the others are under way.
func TestThrottled(t *testing.T) {
	r := start(t)
	var bodies []*io.PipeWriter
	done := make(chan error, 64)
	for range 64 {
		body, w := io.Pipe()
		bodies = append(bodies, w)
		req, err := http.NewRequestWithContext(t.Context(), "PUT", r.url+"/devices/d?"+version, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", r.key.Token("localhost", time.Now().Add(time.Hour)))
		go func() {
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				err = resp.Body.Close()
			}
			done <- err
		}()
	}
	for _, w := range bodies { // taken by the transport once the request is written
		if _, err := w.Write([]byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	a := r.do("GET", "/devices?"+version, "")
	for ; a.status != 429 && time.Now().Before(deadline); a = r.do("GET", "/devices?"+version, "") { // the server is still reading headers
	}
	if a.status != 429 || a.code() != "ThrottlingException" || a.header.Get("Retry-After") == "" {
		t.Errorf("got %+v", a)
	}
	for _, w := range bodies {
		w.Close()
	}
	for range bodies {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if a := r.do("GET", "/devices?"+version, ""); a.status != 200 {
		t.Errorf("afterwards: %+v", a)
	}
}

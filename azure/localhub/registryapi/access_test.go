package registryapi_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
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

// held is a hub whose methods say that they were called, and end when told.
type held struct {
	registryapi.Hub
	called, end chan struct{}
}

func (h held) Invoke(context.Context, string, string, []byte, time.Duration) (int, []byte, error) {
	h.called <- struct{}{}
	<-h.end
	return 200, nil, nil
}

// A request too many is throttled while the others are under way.
func TestThrottled(t *testing.T) {
	const most = 64
	h := held{called: make(chan struct{}, most), end: make(chan struct{})}
	r := start(t, func(c *registryapi.Config) { h.Hub, c.Hub = c.Hub, &h })
	release := sync.OnceFunc(func() { close(h.end) })
	t.Cleanup(release) // before the server's own, which waits for its requests
	done := make(chan answer, most)
	for range most {
		go func() { done <- r.do("POST", "/twins/d/methods?"+version, `{"methodName":"m"}`) }()
	}
	for range most {
		select {
		case <-h.called:
		case a := <-done:
			t.Fatalf("one of %d: %+v", most, a)
		case <-time.After(10 * time.Second):
			t.Fatal("a call did not come")
		}
	}
	if a := r.do("GET", "/devices?"+version, ""); a.status != 429 || a.code() != "ThrottlingException" || a.header.Get("Retry-After") == "" {
		t.Errorf("got %+v", a)
	}
	release()
	for range most {
		if a := <-done; a.status != 200 || a.body != `{"status":200,"payload":null}` {
			t.Errorf("one under way: %+v", a)
		}
	}
	if a := r.do("GET", "/devices?"+version, ""); a.status != 200 {
		t.Errorf("afterwards: %+v", a)
	}
}

package registry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/registry"
	"hilrig/record"
)

// refusal is an answer of IoT Hub's.
func refusal(status int, code, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("iothub-errorcode", code)
		w.Header().Set("x-ms-request-id", "e40e9db2-199f-482b-887a-f45fbeaa7b8c")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"Message": "ErrorCode:" + code + ";" + text, "ExceptionMessage": "Tracking ID:abc123-G:5-TimeStamp:08/20/2020 22:05:30"})
	}
}

// page is what a proxy or a captive portal answers.
func page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "squid/5.7")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>Please sign in</html>")
	}
}

func in(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }

// Whatever goes wrong is told apart, with what a person can do about it, after
// as many tries as help; and no secret is in it.
func TestFailuresAreToldApart(t *testing.T) {
	for _, x := range []struct {
		name  string
		hub   http.HandlerFunc
		class error
		cure  string
		tries int
	}{
		{"a wrong key", refusal(401, "IotHubUnauthorizedAccess", "Unauthorized"), registry.ErrUnauthorised, "key whole", 1},
		{"a clock that is behind", refusal(401, "IotHubUnauthorizedAccess", "Unauthorized", "Date", in(2*time.Hour)), registry.ErrUnauthorised, "behind the hub's", 1},
		{"a clock that is ahead", refusal(401, "IotHubUnauthorizedAccess", "Unauthorized", "Date", in(-2*time.Hour)), registry.ErrUnauthorised, "ahead of the hub's", 1},
		{"a role that is missing", refusal(401, "IotHubUnauthorized", "Principal p is not authorized for GET on /devices/d due to no assigned permissions"), registry.ErrForbidden, "IoT Hub Data Contributor", 1},
		{"a right that is missing", refusal(403, "Forbidden", "no"), registry.ErrForbidden, "registry write", 1},
		{"the quota of the day", refusal(403, "IotHubQuotaExceeded", "Total number of messages on IotHub exceeded the allocated quota"), registry.ErrQuota, "00:00 UTC", 1},
		{"a full registry", refusal(403, "TooManyDevices", "no"), registry.ErrQuota, "remove devices", 1},
		{"no such device", refusal(404, "DeviceNotFound", "d"), registry.ErrNotFound, "registered", 1},
		{"no such hub", refusal(404, "IotHubNotFound", "IoT hub not found: a-hub"), registry.ErrNoHub, "Overview", 1},
		{"basic tier", refusal(403, "OperationNotAvailableInCurrentTier", "no"), registry.ErrTier, "standard tier", 1},
		{"such a device already", refusal(409, "DeviceAlreadyExists", "A device with ID 'd' is already registered."), registry.ErrConflict, "adopt", 1},
		{"another version", refusal(412, "PreconditionFailed", "PreconditionFailed"), registry.ErrPrecondition, "somebody else", 1},
		{"a request that is not understood", refusal(400, "ArgumentInvalid", "no"), registry.ErrInvalid, "", 1},
		{"throttled", refusal(429, "ThrottlingException", "no"), registry.ErrThrottled, "unit", 4},
		{"throttled for longer than there is time", refusal(429, "ThrottlingException", "no", "Retry-After", "50"), registry.ErrThrottled, "asks to wait for 50s", 1},
		{"throttled until a time", refusal(429, "ThrottlingException", "no", "Retry-After", in(50*time.Second)), registry.ErrThrottled, "asks to wait for", 1},
		{"the hub fails", refusal(500, "ServerError", "no"), registry.ErrUnavailable, "try again", 4},
		{"the hub is away", refusal(503, "ServiceUnavailable", "no"), registry.ErrUnavailable, "azure.status", 4},
		{"a gateway in front of it fails", page(502), registry.ErrUnavailable, "try again", 4},
		{"a captive portal that leads elsewhere", page(302), access.ErrProxy, "browser", 1},
		{"a captive portal", page(200), access.ErrProxy, "browser", 1},
		{"a proxy's refusal", page(403), access.ErrProxy, "https://" + hostName, 1},
		{"the connection is cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, access.ErrCut, "firewall", 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := watch(t, x.hub)
			ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
			defer cancel()
			_, err := w.Get(ctx, "d")
			told(t, err, x.class, x.cure)
			if got := w.tries(); got != x.tries {
				t.Errorf("%d tries, want %d", got, x.tries)
			}
			w.hides(t, err)
		})
	}
}

func told(t *testing.T, err, class error, cure string) {
	t.Helper()
	var f *record.Failure
	if !errors.Is(err, class) || !errors.As(err, &f) || f.Class != record.RigCloud || !strings.Contains(f.Cure, cure) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v\nwant %v, cure %q", err, class, cure)
	}
	if !strings.Contains(fmt.Sprint(err), hostName) && !strings.Contains(fmt.Sprint(err), ".invalid") {
		t.Errorf("no hub is named: %v", err)
	}
}

// watched is a client of a hub that keeps what is sent to it and what is said.
type watched struct {
	*registry.Client
	log bytes.Buffer

	mu   sync.Mutex
	sent []string // Authorization of each request
}

func watch(t *testing.T, hub http.Handler) *watched {
	t.Helper()
	w := &watched{}
	ca := newAuthority(t, "a root")
	at := serve(t, ca, time.Now().Add(time.Hour), http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.sent = append(w.sent, r.Header.Get("Authorization"))
		w.mu.Unlock()
		hub.ServeHTTP(rw, r)
	}))
	w.connect(t, registry.Options{Network: access.Network{Endpoint: at, Roots: ca.roots()}})
	return w
}

func (w *watched) connect(t *testing.T, o registry.Options) {
	t.Helper()
	o.Pause, o.Log = time.Millisecond, slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Client = registry.New(access.ByKey(someConnection(t)), o)
	t.Cleanup(w.Close)
}

func (w *watched) tries() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sent)
}

// hides fails where the key or a token is in an error or the log, in whatever
// coding.
func (w *watched) hides(t *testing.T, err error) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	key, decodeErr := base64.StdEncoding.DecodeString(keyText)
	if decodeErr != nil {
		t.Fatal(decodeErr)
	}
	secrets := codings(string(key))
	for _, token := range w.sent {
		_, signature, _ := strings.Cut(token, "sig=")
		signature, _, _ = strings.Cut(signature, "&")
		plain, unescapeErr := url.QueryUnescape(signature)
		bytes, decodeErr := base64.StdEncoding.DecodeString(plain)
		if unescapeErr != nil || decodeErr != nil || len(bytes) == 0 {
			t.Errorf("no token was sent: %v, %v", unescapeErr, decodeErr)
		}
		secrets = append(secrets, codings(string(bytes))...)
	}
	shown := w.log.String()
	for e := err; e != nil; e = errors.Unwrap(e) {
		shown += fmt.Sprintf("\n%v\n%+v\n%#v\n%q", e, e, e, e)
	}
	if contains(shown, secrets) {
		t.Errorf("a secret is shown: %s", shown)
	}
}

func contains(shown string, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(shown, secret) })
}

// codings are the forms that a secret may have in a text.
func codings(secret string) []string {
	std, web := base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))
	return []string{
		secret, std, strings.TrimRight(std, "="), web, url.QueryEscape(std), url.PathEscape(std), url.QueryEscape(url.QueryEscape(std)),
		base64.StdEncoding.EncodeToString([]byte(std)), hex.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	}
}

// What keeps a request from coming to the hub is told apart too.
func TestWaysThatEndBeforeTheHub(t *testing.T) {
	ca, other := newAuthority(t, "a root"), newAuthority(t, "Proxy of a firm")
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came through") })
	hour := time.Now().Add(time.Hour)
	closed := func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	proxy := func(status int) func(t *testing.T) string {
		return func(t *testing.T) string {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
			t.Cleanup(s.Close)
			return s.Listener.Addr().String()
		}
	}
	for _, x := range []struct {
		name  string
		at    func(t *testing.T) string // where the hub is said to be
		proxy func(t *testing.T) string
		class error
		cure  string
	}{
		{"the name does not resolve", func(*testing.T) string { return "no-such-hub.invalid:443" }, nil, access.ErrName, ""},
		{"a closed port", closed, nil, access.ErrRefused, "firewall"},
		{"another root", func(t *testing.T) string { return serve(t, other, hour, ok) }, nil, access.ErrUntrusted, "Proxy of a firm"},
		{"another's certificate", func(t *testing.T) string { return serveAs(t, ca, "other.example", hour, ok) }, nil, access.ErrUntrusted, "somebody else"},
		{"a clock outside the certificate's time", func(t *testing.T) string { return serve(t, ca, time.Now().Add(-time.Hour), ok) }, nil, access.ErrClock, "clock right"},
		{"no TLS", func(t *testing.T) string {
			s := httptest.NewServer(ok)
			t.Cleanup(s.Close)
			return s.Listener.Addr().String()
		}, nil, access.ErrProxy, "captive portal"},
		{"silence", silent, nil, access.ErrSilent, "firewall"},
		{"a proxy that refuses", closed, proxy(403), access.ErrProxy, "NO_PROXY"},
		{"a proxy that wants to know who", closed, proxy(407), access.ErrProxy, "USER:PASSWORD"},
		{"a proxy that is not there", closed, closed, access.ErrProxy, "HTTPS_PROXY is not reached"},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := &watched{}
			o := registry.Options{Network: access.Network{Endpoint: x.at(t), Roots: ca.roots()}}
			if x.proxy != nil {
				at := &url.URL{Scheme: "http", User: url.UserPassword("somebody", "a-pass-word"), Host: x.proxy(t)}
				o.Network.Proxy = func(*http.Request) (*url.URL, error) { return at, nil }
			}
			w.connect(t, o)
			within := 30 * time.Second
			if errors.Is(x.class, access.ErrSilent) {
				within = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err := w.Get(ctx, "d")
			told(t, err, x.class, x.cure)
			w.hides(t, err)
			if shown := fmt.Sprintf("%v%+v%s", err, err, &w.log); strings.Contains(shown, "a-pass-word") || strings.Contains(shown, base64.StdEncoding.EncodeToString([]byte("somebody:a-pass-word"))) {
				t.Errorf("the proxy's password is shown: %s", shown)
			}
		})
	}
}

// silent takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

package registry_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hilrig/azure/iothub/registry"
)

// steps answers each request by the next one; more than there are is an error.
func steps(t *testing.T, answers ...http.HandlerFunc) http.HandlerFunc {
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if next == len(answers) {
			t.Errorf("one request too many: %s %s", r.Method, r.URL.Path)
			return
		}
		next++
		answers[next-1](w, r)
	}
}

// cut is an answer that is lost.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// found is a device of that status reason.
func found(reason string) http.HandlerFunc { return foundWith(reason, printA) }

func foundWith(reason, thumbprint string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"deviceId":"d","etag":"Mg==","status":"enabled","statusReason":%q,"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":%q}}}`, reason, thumbprint)
	}
}

func gone(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// Where an answer was lost the next try's refusal may be of our own doing: what
// is there tells. A device of somebody else's is never taken for ours.
func TestLostAnswers(t *testing.T) {
	exists, changed, missing := refusal(409, "DeviceAlreadyExists", "no"), refusal(412, "PreconditionFailed", "no"), refusal(404, "DeviceNotFound", "d")
	away := refusal(503, "ServiceUnavailable", "no")
	ours := registry.Device{ID: "d", ETag: "MQ==", Status: registry.Enabled, AuthenticationType: registry.SelfSigned, PrimaryThumbprint: printA, StatusReason: "hilrig lab 7"}
	create := func(t *testing.T, c *registry.Client) error { _, err := c.Create(t.Context(), ours); return err }
	update := func(t *testing.T, c *registry.Client) error { _, err := c.Update(t.Context(), ours); return err }
	remove := func(t *testing.T, c *registry.Client) error { return c.Delete(t.Context(), "d", "MQ==") }
	invoke := func(t *testing.T, c *registry.Client) error {
		_, _, err := c.Invoke(t.Context(), "d", "m", nil, 0)
		return err
	}
	for _, x := range []struct {
		name    string
		do      func(*testing.T, *registry.Client) error
		answers []http.HandlerFunc
		want    error
	}{
		{"made, the answer lost", create, []http.HandlerFunc{cut, exists, found("hilrig lab 7")}, nil},
		{"made, the answer an error of the hub's", create, []http.HandlerFunc{away, exists, found("hilrig lab 7")}, nil},
		{"made, the hub writes thumbprints small", create, []http.HandlerFunc{cut, exists, foundWith("hilrig lab 7", strings.ToLower(printA))}, nil},
		{"there with another thumbprint", create, []http.HandlerFunc{cut, exists, foundWith("hilrig lab 7", printB)}, registry.ErrConflict},
		{"another rig's there", create, []http.HandlerFunc{cut, exists, found("hilrig lab 8")}, registry.ErrConflict},
		{"there before, nothing lost", create, []http.HandlerFunc{exists}, registry.ErrConflict},
		{"throttled loses nothing", create, []http.HandlerFunc{refusal(429, "ThrottlingException", "no"), exists}, registry.ErrConflict},
		{"not made, the request lost", create, []http.HandlerFunc{cut, found("hilrig lab 7")}, nil},
		{"changed, the answer lost", update, []http.HandlerFunc{cut, changed, found("hilrig lab 7")}, nil},
		{"somebody else changed it", update, []http.HandlerFunc{cut, changed, found("by hand")}, registry.ErrPrecondition},
		{"removed, the answer lost", remove, []http.HandlerFunc{cut, missing}, nil},
		{"not there, nothing lost", remove, []http.HandlerFunc{missing}, registry.ErrNotFound},
		{"removed", remove, []http.HandlerFunc{gone}, nil},
		{"a method is called once", invoke, []http.HandlerFunc{away}, registry.ErrUnavailable},
		{"a method that was throttled was not called", invoke, []http.HandlerFunc{refusal(429, "ThrottlingException", "no"), missing}, registry.ErrNotFound},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := watch(t, steps(t, x.answers...))
			if err := x.do(t, c.Client); !errors.Is(err, x.want) || x.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, x.want)
			}
			if c.tries() != len(x.answers) {
				t.Errorf("%d requests, want %d", c.tries(), len(x.answers))
			}
		})
	}
}

// A hub that says how long to wait is not asked sooner.
func TestWaitsAsLongAsTheHubSays(t *testing.T) {
	var asked, again time.Time
	c := watch(t, steps(t,
		func(w http.ResponseWriter, r *http.Request) {
			asked = time.Now()
			refusal(429, "ThrottlingException", "no", "Retry-After", "1")(w, r)
		},
		func(w http.ResponseWriter, r *http.Request) {
			again = time.Now()
			found("")(w, r)
		}))
	if _, err := c.Get(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if again.Sub(asked) < time.Second {
		t.Error("asked again sooner than the hub said")
	}
}

// What an adopted device has besides what this client knows is sent back.
func TestWhatIsNotKnownIsSentBack(t *testing.T) {
	sent := ""
	c := watch(t, steps(t,
		func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"deviceId":"d","etag":"MQ==","status":"enabled","deviceScope":"ms-azure-iot-edge://x","capabilities":{"iotEdge":false,"new":[1]},
"authentication":{"type":"sas","symmetricKey":{"primaryKey":"a device's secret"},"later":true}}`)
		},
		func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			sent = text(value(t, string(body))) // names in order
			found("")(w, r)
		}))
	d, err := c.Get(t.Context(), "d")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if shown := fmt.Sprintf(verb+verb, d, &d); contains(shown, codings("a device's secret")) {
			t.Errorf("%s shows the device's key: %s", verb, shown)
		}
	}
	if _, err := c.Update(t.Context(), with(d, registry.Disabled, "held off")); err != nil {
		t.Fatal(err)
	}
	want := `{"authentication":{"later":true,"symmetricKey":{"primaryKey":"a device's secret"},"type":"sas"},"capabilities":{"iotEdge":false,"new":[1]},"deviceId":"d","deviceScope":"ms-azure-iot-edge://x","etag":"MQ==","status":"disabled","statusReason":"held off"}`
	if sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
}

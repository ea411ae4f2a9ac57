package registry_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/registry"
	"hilrig/record"
)

const clientSecret = "a client secret of nobody's"

// entra is a token endpoint over TLS, as the authority of a private cloud.
type entra struct {
	holds  int // seconds that a token holds
	code   string
	mu     sync.Mutex
	asked  []string // scopes
	issued int
}

func (e *entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := "https://" + r.Host + "/a-directory"
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		fmt.Fprintf(w, `{"token_endpoint":"%s/oauth2/v2.0/token","authorization_endpoint":"%s/oauth2/v2.0/authorize","issuer":"%s/v2.0"}`, base, base, base)
		return
	}
	if r.FormValue("client_secret") != clientSecret {
		e.code = "AADSTS7000215"
	}
	if e.code != "" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"%s: it is refused. Trace ID: x","error_codes":[1]}`, e.code)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, r.FormValue("scope"))
	e.issued++
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":%d,"access_token":"token-%d-of-entra"}`, e.holds, e.issued)
}

// enter is a client by Entra: the machine is signed in by variables.
func (e *entra) enter(t *testing.T, hub http.Handler) *registry.Client {
	t.Helper()
	ca := newAuthority(t, "a root")
	at := serveAs(t, ca, "localhost", time.Now().Add(time.Hour), e)
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": "a-directory", "AZURE_CLIENT_ID": "an-application", "AZURE_CLIENT_SECRET": clientSecret, "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
	} {
		t.Setenv(name, value)
	}
	transport := access.Network{Endpoint: at, Roots: ca.roots()}.Transport("localhost")
	t.Cleanup(transport.CloseIdleConnections)
	way, err := access.Entra(hostName, access.EntraOptions{Private: true, ClientOptions: azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + at + "/"},
		Transport: &http.Client{Transport: transport},
	}})
	if err != nil {
		t.Fatal(err)
	}
	hubCA := newAuthority(t, "another root")
	c := registry.New(way, registry.Options{Network: access.Network{Endpoint: serve(t, hubCA, time.Now().Add(time.Hour), hub), Roots: hubCA.roots()}, Pause: time.Millisecond})
	t.Cleanup(c.Close)
	return c
}

// The token is for IoT Hub, kept while it holds and then renewed.
func TestSignsInAtEntra(t *testing.T) {
	var tokens []string
	hub := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		found("")(w, r)
	})
	lasting := &entra{holds: 3600}
	c := lasting.enter(t, hub)
	for range 3 {
		if _, err := c.Get(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
	}
	if lasting.issued != 1 || strings.Join(tokens, ",") != "Bearer token-1-of-entra,Bearer token-1-of-entra,Bearer token-1-of-entra" || !strings.Contains(lasting.asked[0], "https://iothubs.azure.net/.default") {
		t.Errorf("issued %d for %q, sent %q", lasting.issued, lasting.asked, tokens)
	}
	tokens = nil
	c = (&entra{holds: 0}).enter(t, hub)
	for range 2 {
		if _, err := c.Get(t.Context(), "d"); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(tokens, ",") != "Bearer token-1-of-entra,Bearer token-2-of-entra" {
		t.Errorf("a token that has run out is to be renewed: sent %q", tokens)
	}
}

// Why Entra gives no token is said, without its whole answer.
func TestEntraRefuses(t *testing.T) {
	for code, want := range map[string]struct{ why, cure string }{
		"AADSTS7000215": {"the client secret is wrong", "AZURE_CLIENT_SECRET"},
		"AADSTS7000222": {"the client secret has run out", "make a new one"},
		"AADSTS700016":  {"does not know the application", "AZURE_CLIENT_ID"},
		"AADSTS90002":   {"no such directory", "AZURE_TENANT_ID"},
		"AADSTS9999999": {"it answers 401 AADSTS9999999", "az login"},
	} {
		t.Run(code, func(t *testing.T) {
			c := (&entra{code: code}).enter(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the hub was asked") }))
			_, err := c.Get(t.Context(), "d")
			var f *record.Failure
			if !errors.Is(err, access.ErrIdentity) || !errors.As(err, &f) || f.Class != record.RigCloud || !strings.Contains(err.Error(), want.why) || !strings.Contains(f.Cure, want.cure) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
			if contains(fmt.Sprintf("%v%+v%#v", err, err, err), codings(clientSecret)) {
				t.Errorf("the secret is shown: %v", err)
			}
		})
	}
}

// A token that the hub does not take is a matter of roles.
func TestEntraWithoutARole(t *testing.T) {
	c := (&entra{holds: 3600}).enter(t, refusal(401, "IotHubUnauthorized", "Principal p is not authorized for GET on /devices/d due to no assigned permissions"))
	_, err := c.Get(t.Context(), "d")
	told(t, err, registry.ErrForbidden, "IoT Hub Data Contributor")
	if contains(err.Error(), codings("token-1-of-entra")) {
		t.Errorf("the token is shown: %v", err)
	}
}

package access

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Scope is what an Entra token for IoT Hub's data plane is for.
const Scope = "https://iothubs.azure.net/.default"

const (
	tokenLife  = time.Hour
	tokenRenew = 10 * time.Minute // before its end
)

// Credential is a hub and the way in: by key or by Entra. It is an
// [azcore.TokenCredential] of either kind. Printed in any way it is masked.
type Credential struct {
	HostName string                                                                        // the hub's
	source   func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) // not who holds it, as with a connection's key
	byKey    bool
}

var _ azcore.TokenCredential = Credential{}

// ByKey is the way in by a shared access policy.
func ByKey(c Connection) Credential {
	return Credential{HostName: c.HostName, source: (&signer{connection: c, now: time.Now}).token, byKey: true}
}

// ByEntra is the way in by Microsoft Entra.
func ByEntra(hostName string, source azcore.TokenCredential) Credential {
	return Credential{HostName: hostName, source: source.GetToken}
}

// ByKey reports whether tokens are shared access signatures; else they are
// Entra's.
func (c Credential) ByKey() bool { return c.byKey }

// GetToken is a token that holds for minutes at least. It is a secret. Where no
// scopes are asked for it is for IoT Hub.
func (c Credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) == 0 {
		o.Scopes = []string{Scope}
	}
	token, err := c.source(ctx, o)
	return token, explain(err)
}

// Policy gives each attempt of a request its Authorization.
func (c Credential) Policy() policy.Policy {
	if c.byKey {
		return signing{c}
	}
	return runtime.NewBearerTokenPolicy(c, []string{Scope}, nil)
}

// String says which way it is.
func (c Credential) String() string {
	if c.byKey {
		return c.HostName + " by key " + masked
	}
	return c.HostName + " by Entra"
}

// Format masks the key for every verb.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue masks the key in a log.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText masks the key in JSON and YAML.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// signing is the policy of a key: the token stands in the header as it is.
type signing struct{ credential Credential }

func (s signing) Do(r *policy.Request) (*http.Response, error) {
	token, err := s.credential.GetToken(r.Raw().Context(), policy.TokenRequestOptions{})
	if err != nil {
		return nil, err
	}
	r.Raw().Header.Set("Authorization", token.Token)
	return r.Next()
}

// signer makes signatures for a whole hub, and keeps the last.
type signer struct {
	connection Connection
	now        func() time.Time

	mu   sync.Mutex
	last azcore.AccessToken
}

func (s *signer) token(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.last.ExpiresOn.Before(now.Add(tokenRenew)) {
		expires := now.Add(tokenLife)
		s.last = azcore.AccessToken{Token: s.connection.Token(s.connection.HostName, expires), ExpiresOn: expires, RefreshOn: expires.Add(-tokenRenew)}
	}
	return s.last, nil
}

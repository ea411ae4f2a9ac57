package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"hilrig/record"
)

// ErrIdentity is wrapped by failures to get a token of Entra.
var ErrIdentity = errors.New("no token from Microsoft Entra")

// EntraOptions are for another authority than Azure's own.
type EntraOptions struct {
	azcore.ClientOptions // Cloud names the authority, Transport reaches it
	Tenant               string
	Private              bool // the authority is not asked of Azure's public directory
}

// Entra is whoever this machine is signed in as: by the variables AZURE_…, a
// workload's or the machine's managed identity, or az login.
func Entra(hostName string, o EntraOptions) (Credential, error) {
	source, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: o.ClientOptions, TenantID: o.Tenant, DisableInstanceDiscovery: o.Private,
	})
	if err != nil {
		return Credential{}, record.NewFailure(record.Usage, "set up", "Microsoft Entra", err).WithCure(entraCure)
	}
	return ByEntra(hostName, source), nil
}

const entraCure = "az login, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH"

// causes are the codes of Entra that a rig meets (Microsoft: "Microsoft Entra
// authentication and authorization error codes").
var causes = map[string]struct{ why, cure string }{
	"AADSTS7000215": {"the client secret is wrong", "AZURE_CLIENT_SECRET takes the secret's value, and not its id"},
	"AADSTS7000222": {"the client secret has run out", "make a new one: Entra, App registrations, Certificates & secrets"},
	"AADSTS700016":  {"the directory does not know the application", "AZURE_CLIENT_ID is the application's id, AZURE_TENANT_ID its directory's"},
	"AADSTS700027":  {"the application does not know the certificate", "upload it: Entra, App registrations, Certificates & secrets"},
	"AADSTS700024":  {"the assertion is outside its time", "is this machine's clock right?"},
	"AADSTS90002":   {"there is no such directory", "AZURE_TENANT_ID is the directory's id"},
	"AADSTS500011":  {"the directory does not know IoT Hub", "is it the directory of the hub's subscription?"},
	"AADSTS53003":   {"a policy of conditional access blocks it", "ask the directory's administrator"},
}

var codes = regexp.MustCompile(`AADSTS\d{4,8}`)

const maxAnswer = 64 << 10 // bytes of Entra's answer that are looked at

// entraError is a cause in words over what azidentity said: that holds the
// whole answer, in many lines.
type entraError struct {
	why string
	err error
}

func (e *entraError) Error() string   { return ErrIdentity.Error() + ": " + e.why }
func (e *entraError) Unwrap() []error { return []error{ErrIdentity, e.err} }

// explain says why Entra gave no token.
func explain(err error) error {
	if err == nil {
		return nil
	}
	cause := &entraError{why: strings.Join(strings.Fields(err.Error()), " "), err: err}
	f := record.NewFailure(record.RigCloud, "sign in at", "Microsoft Entra", cause).WithCure(entraCure)
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil {
		return f
	}
	body, _ := io.ReadAll(io.LimitReader(failed.RawResponse.Body, maxAnswer)) // what came counts
	failed.RawResponse.Body = io.NopCloser(bytes.NewReader(body))
	code := string(codes.Find(body))
	cause.why = strings.TrimSpace(fmt.Sprintf("it answers %d %s", failed.RawResponse.StatusCode, code))
	if c, known := causes[code]; known {
		cause.why, f.Cure = c.why+" ("+code+")", c.cure
	}
	return f
}

package arm

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// apiVersion is the stable one, which the hub's newer properties are in.
const apiVersion = "2026-11-01"

const tryWithin = 20 * time.Second

// ID names a hub in Azure.
type ID struct{ Subscription, Group, Name string }

// ParseID reads a resource id, as the portal shows it: IoT Hub, Properties,
// Resource ID.
func ParseID(text string) (ID, error) {
	at, err := azarm.ParseResourceID(text)
	if err == nil && !strings.EqualFold(at.ResourceType.String(), "Microsoft.Devices/IotHubs") {
		err = errors.New("it is no IoT Hub's")
	}
	if err != nil {
		return ID{}, record.NewFailure(record.Usage, "read", "resource id", err).
			WithCure("/subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Devices/IotHubs/NAME; the portal shows it: IoT Hub, Properties, Resource ID")
	}
	return ID{at.SubscriptionID, at.ResourceGroupName, at.Name}, nil
}

// Options say how Azure is reached. The zero value is the public cloud.
type Options struct {
	Client azcore.ClientOptions // Cloud names the endpoint, Transport reaches it
	Poll   time.Duration        // between questions whether a hub is made; 0: the usual
}

// Client is one hub at Resource Manager.
type Client struct {
	id           ID
	hubs         *armiothub.ResourceClient
	certificates *armiothub.CertificatesClient
	poll         time.Duration
}

// New makes a client. Nothing is sent yet.
func New(id ID, source azcore.TokenCredential, o Options) (*Client, error) {
	o.Client.APIVersion = apiVersion
	o.Client.Retry.TryTimeout = tryWithin
	factory, err := armiothub.NewClientFactory(id.Subscription, source, &azarm.ClientOptions{ClientOptions: o.Client, DisableRPRegistration: true})
	if err != nil {
		return nil, record.NewFailure(record.Harness, "set up", "Azure Resource Manager", err)
	}
	return &Client{id: id, hubs: factory.NewResourceClient(), certificates: factory.NewCertificatesClient(), poll: cmp.Or(o.Poll, defaultPoll)}, nil
}

// Causes of failures.
var (
	ErrNotFound     = errors.New("there is none")
	ErrForbidden    = errors.New("the rights do not suffice")
	ErrPolicy       = errors.New("a policy or a lock forbids it")
	ErrPrecondition = errors.New("it was changed since it was read")
	ErrGroup        = errors.New("there is no such resource group")
	ErrUnregistered = errors.New("the subscription has no IoT Hubs yet")
	ErrConflict     = errors.New("there is another one of that name")
	ErrUnavailable  = errors.New("the service is not available")
)

var causes = []struct {
	status int
	code   string // of Resource Manager; empty: any
	cause  error
	cure   string
}{
	{http.StatusForbidden, "RequestDisallowedByPolicy", ErrPolicy, "ask the subscription's owner which Azure Policy it is"},
	{http.StatusConflict, "ScopeLocked", ErrPolicy, "the resource is locked: portal, Settings, Locks"},
	{http.StatusNotFound, "ResourceGroupNotFound", ErrGroup, "is its name right? az group create --name GROUP --location REGION makes one"},
	{http.StatusConflict, "MissingSubscriptionRegistration", ErrUnregistered, "az provider register --namespace Microsoft.Devices --wait"},
	{http.StatusForbidden, "", ErrForbidden, "the role Reader reads a hub, IoT Hub Contributor or Contributor makes one and changes its certificates"},
	{http.StatusUnauthorized, "", ErrForbidden, "is it the directory of the subscription? az login --tenant ID"},
	{http.StatusNotFound, "", ErrNotFound, "are subscription, resource group and name right? az iot hub list shows them"},
	{http.StatusPreconditionFailed, "", ErrPrecondition, "somebody else changes it too: try again"},
	{http.StatusConflict, "", ErrConflict, "is the hub being changed, or is the subscription's one free hub made already? az iot hub list shows them"},
	{http.StatusTooManyRequests, "", ErrUnavailable, "try again in some minutes"},
}

// answered is what Resource Manager said, in one line.
type answered struct {
	cause error
	*azcore.ResponseError
}

func (e *answered) Error() string {
	return e.cause.Error() + ": " + strings.TrimSpace(http.StatusText(e.StatusCode)+" "+e.ErrorCode)
}

func (e *answered) Unwrap() []error { return []error{e.cause, e.ResponseError} }

// failed says why a step was not done.
func (c *Client) failed(ctx context.Context, step, subject string, err error) error {
	if err == nil {
		return nil
	}
	subject += " of " + c.id.Name
	var said *azcore.ResponseError
	if errors.As(err, &said) {
		e := &answered{ErrUnavailable, said}
		cure := "try again; Azure status: https://azure.status.microsoft"
		for _, one := range causes {
			if one.status == said.StatusCode && (one.code == "" || one.code == said.ErrorCode) {
				e.cause, cure = one.cause, one.cure
				break
			}
		}
		return record.NewFailure(record.RigCloud, step, subject, e).WithCure(cure)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var signIn *record.Failure
	if errors.As(err, &signIn) {
		return err
	}
	if cure, cause := access.Explain("management.azure.com", err); cause != nil {
		return record.NewFailure(record.RigCloud, step, subject, cause).WithCure(cure)
	}
	return record.NewFailure(record.RigCloud, step, subject, err)
}

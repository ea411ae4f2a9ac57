package arm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"

	"hilrig/record"
)

// NewHub is what a hub is to be. Devices reach it by TLS 1.2 at the least.
type NewHub struct {
	Location string
	SKU      string // F1, B1, S1 …
	Units    int64
}

const (
	leastTLS     = "1.2"
	createWithin = 15 * time.Minute // Azure takes one to three
	defaultPoll  = 5 * time.Second
)

// Causes of a hub not being made.
var (
	ErrExists = errors.New("there is a hub of that name, and it is only ever read")
	ErrName   = errors.New("the name is not free")
)

// Vacant says why a hub of this name cannot be made; nil: it can. A PUT at a hub
// that is there would replace its properties.
func (c *Client) Vacant(ctx context.Context) error {
	_, err := c.hubs.Get(ctx, c.id.Group, c.id.Name, nil)
	if err == nil {
		return record.NewFailure(record.Usage, "create", c.id.Name, ErrExists).WithCure("another name; or hilrig azure hub show shows this one")
	}
	if err = c.failed(ctx, "read", "properties", err); !errors.Is(err, ErrNotFound) {
		return err
	}
	got, err := c.hubs.CheckNameAvailability(ctx, armiothub.OperationInputs{Name: &c.id.Name}, nil)
	if err != nil {
		return c.failed(ctx, "check", "name", err)
	}
	if !of(got.NameAvailable) {
		return record.NewFailure(record.Usage, "create", c.id.Name, fmt.Errorf("%w: %s %s", ErrName, of(got.Reason), of(got.Message))).
			WithCure("another name: hubs of all subscriptions share the names")
	}
	return nil
}

// CreateHub makes a hub where there is none, and waits until it is there.
func (c *Client) CreateHub(ctx context.Context, n NewHub) (Hub, error) {
	if err := c.Vacant(ctx); err != nil {
		return Hub{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, createWithin, fmt.Errorf("it is not ready after %s", createWithin))
	defer cancel()
	making, err := c.hubs.BeginCreateOrUpdate(ctx, c.id.Group, c.id.Name, armiothub.Description{
		Location:   &n.Location,
		SKU:        &armiothub.SKUInfo{Name: to.Ptr(armiothub.IotHubSKU(n.SKU)), Capacity: &n.Units},
		Properties: &armiothub.Properties{MinTLSVersion: to.Ptr(leastTLS)},
	}, nil)
	if err == nil {
		_, err = making.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: c.poll})
	}
	if err != nil {
		return Hub{}, c.failed(ctx, "create", "the hub", err)
	}
	return c.Hub(ctx)
}

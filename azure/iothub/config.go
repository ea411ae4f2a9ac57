package iothub

import (
	"context"
	"net"
	"strconv"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/registry"
)

// Config says which hub it is, and how it is asked.
type Config struct {
	Host     string // the hub's name, which devices dial
	Port     int    // of MQTT
	Root     []byte // PEM of the root that devices get; empty: the one of this machine that signs the hub
	Registry Registry
	Events   events.Config
	Bound    *devicebound.Config // where messages to devices go; nil: none do
	Adopt    bool                // a device that the rig did not make may be used
}

// Registry is the hub's device registry, as a run uses it.
type Registry interface {
	Get(ctx context.Context, id string) (registry.Device, error)
	Create(ctx context.Context, d registry.Device) (registry.Device, error)
	Update(ctx context.Context, d registry.Device) (registry.Device, error)
	Delete(ctx context.Context, id, etag string) error
	Statistics(ctx context.Context) (registry.Statistics, error)
}

// Service is what of the hub's REST interface speaks to a device.
type Service interface {
	Twin(ctx context.Context, id string) (registry.Twin, error)
	PatchTwin(ctx context.Context, id, etag string, p registry.TwinPatch) (registry.Twin, error)
	Purge(ctx context.Context, id string) (int, error)
	Invoke(ctx context.Context, id, method string, payload []byte, within time.Duration) (status int, body []byte, err error)
}

var _ hub.Open = Config{}.Open

// address is where devices find the hub.
func (c Config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

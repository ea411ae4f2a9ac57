package runner

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"hilrig/azure/hub"
	"hilrig/azure/iothub"
	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/events"
	"hilrig/azure/iothub/registry"
	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// openAzure reads what the rig file names once a run opens the hub.
func openAzure(h rigfile.Hub) hub.Open {
	return func(ctx context.Context, s hub.Setup) (hub.Hub, string, error) {
		c, err := serviceAndRoot(h, s.Log)
		if err == nil && s.Feed == nil {
			c.Events, err = eventsOf(h)
		}
		if err != nil {
			return nil, "", err
		}
		return c.Open(ctx, s)
	}
}

// AzureOf is an IoT Hub as the rig file describes it, with what its files and
// environment variables hold. Errors are usage failures that show no secret.
func AzureOf(h rigfile.Hub, log *slog.Logger) (c iothub.Config, err error) {
	if c, err = serviceAndRoot(h, log); err == nil {
		c.Events, err = eventsOf(h)
	}
	return c, err
}

// serviceAndRoot is an IoT Hub without what reads its events.
func serviceAndRoot(h rigfile.Hub, log *slog.Logger) (c iothub.Config, err error) {
	c = iothub.Config{Host: h.Host, Port: h.Port, Adopt: h.Adopt}
	if h.Root != "" {
		if c.Root, err = rootOf("the hub", h.Root); err != nil {
			return c, err
		}
	}
	if h.Registry != nil {
		at, err := serviceAlone(h)
		if err != nil {
			return c, err
		}
		to := at.deviceBound(log)
		c.Registry, c.Bound = at.registry(log), &to
	}
	return c, nil
}

// RegistryOf is the device registry of a hub alone.
func RegistryOf(h rigfile.Hub, log *slog.Logger) (*registry.Client, error) {
	at, err := serviceAlone(h)
	if err != nil {
		return nil, err
	}
	return at.registry(log), nil
}

// DeviceBoundOf is where a hub takes messages to its devices.
func DeviceBoundOf(h rigfile.Hub, log *slog.Logger) (c devicebound.Config, err error) {
	at, err := serviceAlone(h)
	if err != nil {
		return c, err
	}
	return at.deviceBound(log), nil
}

func noEntry(h rigfile.Hub, what, cure string) error {
	return record.NewFailure(record.Usage, "open hub", h.Name, fmt.Errorf("the rig file says no %s", what)).WithCure(cure + " in the hub's entry")
}

// rootsOf are those that sign the endpoints; nil: this machine's.
func rootsOf(h rigfile.Hub) (*x509.CertPool, error) {
	if h.Endpoints.Root == "" {
		return nil, nil
	}
	text, err := rootOf("the endpoints", h.Endpoints.Root)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots, nil
}

func rootOf(whose, file string) ([]byte, error) {
	text, err := certs.ReadFile(file)
	if err != nil {
		return nil, certs.Unread("read root of "+whose, file, err)
	}
	if _, err := certs.ParseRoot(text); err != nil {
		return nil, record.NewFailure(record.Usage, "read root of "+whose, file, err)
	}
	return text, nil
}

// service is where a hub's service endpoints are, and what lets in there.
type service struct {
	endpoints rigfile.Endpoints
	way       access.Credential
	roots     *x509.CertPool
}

func serviceAlone(h rigfile.Hub) (service, error) {
	if h.Registry == nil {
		return service{}, noEntry(h, "registry", "registry: {connection_string_env: NAME}")
	}
	roots, err := rootsOf(h)
	if err != nil {
		return service{}, err
	}
	way, port, err := credentialOf(h)
	if port != "" {
		h.Endpoints.Registry = cmp.Or(h.Endpoints.Registry, net.JoinHostPort(h.Host, port))
	}
	return service{h.Endpoints, way, roots}, err
}

func (s service) registry(log *slog.Logger) *registry.Client {
	return registry.New(s.way, registry.Options{Network: access.Network{Endpoint: s.endpoints.Registry, Roots: s.roots}, Log: log})
}

func (s service) deviceBound(log *slog.Logger) devicebound.Config {
	return devicebound.Config{Credential: s.way, Network: access.Network{Endpoint: s.endpoints.Service, Roots: s.roots}, Log: log}
}

// credentialOf is what lets in at a hub's service endpoints, and the port of its
// registry where the connection string names one.
func credentialOf(h rigfile.Hub) (way access.Credential, port string, err error) {
	if h.Registry.Entra {
		way, err = access.Entra(h.Host, access.EntraOptions{})
		return way, "", err
	}
	var connection access.Connection
	if h.Registry.ConnectionStringFile != "" {
		connection, err = access.FromFile(h.Registry.ConnectionStringFile)
	} else {
		connection, err = access.FromEnvironment(h.Registry.ConnectionStringEnv)
	}
	if err != nil {
		return way, "", err
	}
	if !strings.EqualFold(connection.HostName, h.Host) {
		return way, "", record.NewFailure(record.Usage, "open registry of", h.Host, fmt.Errorf("its connection string is of %s", connection.HostName)).
			WithCure("the connection string must be that of the hub which devices dial (host)")
	}
	return access.ByKey(connection), connection.Port, nil
}

func eventsOf(h rigfile.Hub) (c events.Config, err error) {
	e := h.Events
	if e == nil {
		return c, noEntry(h, "events", "events: {connection_string_env: NAME}")
	}
	roots, err := rootsOf(h)
	if err != nil {
		return c, err
	}
	c = events.Config{Group: e.ConsumerGroup, Namespace: e.Namespace, Name: e.EventHub, Network: access.Network{Endpoint: h.Endpoints.Events, Roots: roots},
		Hub: access.Network{Endpoint: h.Endpoints.Service, Roots: roots}}
	if e.Entra {
		c.Credential, err = access.Entra(h.Host, access.EntraOptions{})
		return c, err
	}
	c.ConnectionString, err = secretOf(e.Source)
	return c, err
}

// secretOf reads what the rig file only names.
func secretOf(from rigfile.Source) (string, error) {
	if from.ConnectionStringFile != "" {
		return access.TextFromFile(from.ConnectionStringFile)
	}
	return access.TextFromEnvironment(from.ConnectionStringEnv)
}

package events

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// DefaultGroup is the consumer group of rigs. That of a hub's production is
// usually $Default.
const DefaultGroup = "hilrig"

// Config is where to read.
type Config struct {
	// ConnectionString is that of the Event Hubs-compatible endpoint, with
	// EntityPath, or the hub's own: then the hub is asked where its events are. It
	// is a secret.
	ConnectionString string `json:"-"`

	// Namespace is the host name of an Event Hub of one's own, Name its name and
	// Credential who reads there: in place of a connection string.
	Namespace, Name string
	Credential      azcore.TokenCredential

	Group   string         // consumer group; empty: [DefaultGroup]
	Devices []string       // ids of those whose messages are read; none: all
	Network access.Network // Endpoint is HOST:PORT in place of the namespace and 5671
	Hub     access.Network // the same of the hub, where it is asked
	Log     *slog.Logger   // nil: none
}

// Format masks the connection string for every verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "events of "+cmp.Or(c.Namespace, "the built-in endpoint")+" (key masked)")
}

// LogValue masks the connection string in a log.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// source is a configuration that was checked.
type source struct {
	Config
	namespace, entity string
	secrets           []string
}

const (
	connectionCure = "copy it from Azure portal, IoT Hub, Built-in endpoints, Event Hub-compatible endpoint, or az iot hub connection-string show --default-eventhub --hub-name NAME"
	entraCure      = "the built-in endpoint takes no Entra token. Add an Event Hub of your own as an endpoint of the hub and a route to it, then events: {namespace: NAME.servicebus.windows.net, name: HUB, entra: true}"
)

// builtIn are the namespaces of hubs' own endpoints.
var builtIn = regexp.MustCompile(`(?i)^(ihsu|iothub-ns-)`)

func (c Config) source() (source, error) {
	s := source{Config: c, namespace: c.Namespace, entity: c.Name}
	s.Group = cmp.Or(c.Group, DefaultGroup)
	s.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	switch {
	case c.ConnectionString != "" && c.Credential != nil:
		return source{}, usage("a connection string and Entra exclude each other", "give one of them")
	case c.ConnectionString != "":
		return s, s.parse()
	case c.Credential == nil:
		return source{}, usage("neither a connection string nor a namespace with a credential is given", connectionCure)
	case c.Namespace == "" || c.Name == "" || builtIn.MatchString(c.Namespace):
		return source{}, usage("Entra is meant for the built-in endpoint", entraCure)
	}
	return s, nil
}

// parse reads the connection string.
func (s *source) parse() error {
	properties, err := azeventhubs.ParseConnectionString(s.ConnectionString)
	switch {
	case err != nil:
		return usage("the connection string does not have the form Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…;EntityPath=…", connectionCure)
	case properties.EntityPath == nil || *properties.EntityPath == "":
		return usage("the connection string names no Event Hub: EntityPath is missing", connectionCure)
	}
	s.namespace, s.entity = properties.FullyQualifiedNamespace, *properties.EntityPath
	for _, secret := range []*string{properties.SharedAccessKey, properties.SharedAccessSignature} {
		if secret != nil {
			s.secrets = append(s.secrets, *secret)
		}
	}
	return nil
}

// wants reports whether the messages of a device are read.
func (s *source) wants(device string) bool {
	return len(s.Devices) == 0 || slices.Contains(s.Devices, device)
}

func usage(why, cure string) error {
	return record.NewFailure(record.Usage, "set up", "events", errors.New(why)).WithCure(cure)
}

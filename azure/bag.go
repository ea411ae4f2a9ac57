package azure

import (
	"slices"
	"strings"
)

// Property is one entry of a property bag. A null value is written as the name
// alone, an empty one as "name=" (IoT Hub MQTT, "Receive cloud-to-device
// messages").
type Property struct {
	Name, Value string
	Null        bool
}

// systemKeys maps the keys of system properties on the wire to the names under
// which the service shows them (Edge Hub, SystemProperties; IoT Hub, "Create
// and read IoT Hub messages"). The order is that in which they are written.
var systemKeys = []struct{ wire, name string }{
	{"$.mid", SystemMessageID},
	{"$.cid", SystemCorrelationID},
	{"$.uid", SystemUserID},
	{"$.to", SystemTo},
	{"$.exp", SystemExpiry},
	{"$.ct", SystemContentType},
	{"$.ce", SystemContentEncoding},
	{"$.ctime", SystemCreationTime},
	{"$.on", SystemOutputName},
	{"$.schema", SystemSchema},
	{"$.ifid", SystemInterfaceID},
	{"$.sub", SystemSubject},
	{"$.cdid", SystemConnectionDeviceID},
	{"$.cmid", SystemConnectionModuleID},
	{"iothub-ack", SystemAck},
	{"iothub-operation", SystemOperation},
}

// Names of system properties as the service shows them. The last ones, from
// [SystemMessageType] on, are given by the hub, never by the device: [Stamp].
const (
	SystemMessageID          = "message-id"
	SystemCorrelationID      = "correlation-id"
	SystemUserID             = "user-id"
	SystemTo                 = "to"
	SystemExpiry             = "absolute-expiry-time"
	SystemContentType        = "content-type"
	SystemContentEncoding    = "content-encoding"
	SystemCreationTime       = "iothub-creation-time-utc"
	SystemOutputName         = "iothub-outputname"
	SystemSchema             = "iothub-message-schema"
	SystemInterfaceID        = "iothub-interface-id"
	SystemSubject            = "dt-subject"
	SystemConnectionDeviceID = "iothub-connection-device-id"
	SystemConnectionModuleID = "iothub-connection-module-id"
	SystemAck                = "iothub-ack"
	SystemOperation          = "iothub-operation"
	SystemMessageType        = "iothub-MessageType" // "Will" on a last will
	SystemAuthMethod         = "iothub-connection-auth-method"
	SystemEnqueued           = "iothub-enqueuedtime"
	SystemGeneration         = "iothub-connection-auth-generation-id"
	SystemDataSchema         = "dt-dataschema" // the model id of the connection
)

// AuthMethodX509 is the value of [SystemAuthMethod] for a device that proved
// itself by its certificate (IoT Hub, "Create and read IoT Hub messages").
const AuthMethodX509 = `{"scope":"device","type":"x509","issuer":"iothub"}`

// Properties that the hub adds for flags of a PUBLISH, with the value "true"
// (IoT Hub MQTT; protocol gateway, Util.CompleteMessageFromPacket).
const (
	PropertyRetain = "mqtt-retain"
	PropertyDup    = "mqtt-dup"
)

// ParseBag reads a property bag: percent-encoded name=value pairs parted by
// "&". System keys, with a literal or an encoded "$", go to system under the
// names that the service shows, everything else to properties. It cannot fail:
// whatever a device writes behind "events/" becomes properties (seen on the
// real hub, arendst/Tasmota#11771). Of a name given twice the last counts;
// what the hub does there is not documented.
func ParseBag(bag string) (properties, system map[string]string) {
	properties, system = map[string]string{}, map[string]string{}
	for pair := range strings.SplitSeq(bag, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = unescape(name); name == "" {
			continue
		}
		if known := SystemName(name); known != "" {
			system[known] = unescape(value)
		} else {
			properties[name] = unescape(value)
		}
	}
	return properties, system
}

// EncodeBag writes a bag: first the system properties in the order of the
// table, "$" as %24 as the hub sends it, then properties in the given order.
// Names that are no system property known on the wire are left out.
func EncodeBag(system map[string]string, properties []Property) string {
	var pairs []string
	for _, k := range systemKeys {
		if value, ok := system[k.name]; ok {
			pairs = append(pairs, escape(k.wire)+"="+escape(value))
		}
	}
	for _, p := range properties {
		pair := escape(p.Name)
		if !p.Null {
			pair += "=" + escape(p.Value)
		}
		pairs = append(pairs, pair)
	}
	return strings.Join(pairs, "&")
}

// SystemName is the name under which the service shows the system property that
// has this key on the wire ("$.mid": "message-id"); empty: there is none.
func SystemName(wire string) string {
	i := slices.IndexFunc(systemKeys, func(k struct{ wire, name string }) bool { return k.wire == wire })
	if i < 0 {
		return ""
	}
	return systemKeys[i].name
}

// escape percent-encodes all but the unreserved characters of RFC 3986, as
// .NET's Uri.EscapeDataString does.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isAlphanumeric(rune(c)) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

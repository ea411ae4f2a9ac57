package azure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TopicKind says what a topic or a filter is for.
type TopicKind string

// The kinds of topics a device may publish to, and of filters that mean
// something to the hub.
const (
	KindEvents         TopicKind = "events"          // telemetry
	KindTwinGet        TopicKind = "twin-get"        // asks for the twin
	KindTwinReported   TopicKind = "twin-reported"   // changes reported properties
	KindMethodResponse TopicKind = "method-response" // answers a direct method

	KindDevicebound  TopicKind = "devicebound"  // filter: cloud-to-device messages
	KindTwinResult   TopicKind = "twin-result"  // filter: answers of the twin
	KindTwinDesired  TopicKind = "twin-desired" // filter: changes of desired properties
	KindMethodInvoke TopicKind = "method"       // filter: direct methods
)

// Why a topic or filter is refused.
var (
	ErrTopic     = errors.New("not a topic of IoT Hub")
	ErrFilter    = errors.New("not a filter of IoT Hub")
	ErrNoRequest = errors.New("no $rid in the topic")
)

// PublishTopic is what the topic of a device's PUBLISH says.
type PublishTopic struct {
	Kind       TopicKind
	Bag        string            // as written, behind the fixed part; of twin and method topics without its "?"
	Properties map[string]string // application properties (events) or parameters such as $rid
	System     map[string]string // system properties by the service's names; events only
	RequestID  string            // $rid, of twin and method topics
	Status     int               // of a method response
}

const (
	twinGet      = "$iothub/twin/GET/"
	twinReported = "$iothub/twin/PATCH/properties/reported/"
	twinResult   = "$iothub/twin/res/"
	twinDesired  = "$iothub/twin/PATCH/properties/desired/"
	methodInvoke = "$iothub/methods/POST/"
	methodResult = "$iothub/methods/res/"
)

// EventsTopic is the topic to which device id sends telemetry, with its last
// slash.
func EventsTopic(id string) string { return "devices/" + id + "/messages/events/" }

// DeviceboundFilter is the filter for device id's cloud-to-device messages.
func DeviceboundFilter(id string) string { return "devices/" + id + "/messages/devicebound/#" }

// ParsePublishTopic reads the topic of a PUBLISH of device id. Everything that
// is not documented is an error that names the topic: the hub closes the
// connection (IoT Hub MQTT: "only supports the documented topic names").
//
// Telemetry may leave out the last slash, and may have one behind the bag
// (Edge Hub, appsettings_hub.json).
func ParsePublishTopic(id, topic string) (PublishTopic, error) {
	events := EventsTopic(id)
	if rest, ok := strings.CutPrefix(topic, events); ok || topic == strings.TrimSuffix(events, "/") {
		bag := ""
		if ok {
			bag = strings.TrimSuffix(rest, "/")
		}
		properties, system := ParseBag(bag)
		return PublishTopic{Kind: KindEvents, Bag: bag, Properties: properties, System: system}, nil
	}
	if rest, ok := strings.CutPrefix(topic, twinGet); ok {
		return parseRequest(topic, KindTwinGet, rest, true)
	}
	if rest, ok := strings.CutPrefix(topic, twinReported); ok {
		return parseRequest(topic, KindTwinReported, rest, false)
	}
	if rest, ok := strings.CutPrefix(topic, methodResult); ok {
		return parseMethodResponse(topic, rest)
	}
	return PublishTopic{}, fmt.Errorf("topic %q: %w%s", topic, ErrTopic, topicHint(id, topic))
}

// parseRequest reads "?$rid=…" behind a twin topic. A reported patch may go
// without a request id and is then not answered; a GET may not (Edge Hub).
func parseRequest(topic string, kind TopicKind, rest string, needsID bool) (PublishTopic, error) {
	bag, marked := strings.CutPrefix(rest, "?")
	if rest != "" && !marked {
		return PublishTopic{}, fmt.Errorf("topic %q: parameters must begin with ?: %w", topic, ErrTopic)
	}
	p := PublishTopic{Kind: kind, Bag: bag}
	p.Properties, _ = ParseBag(bag)
	p.RequestID = p.Properties["$rid"]
	if needsID && p.RequestID == "" {
		return PublishTopic{}, fmt.Errorf("topic %q: %w", topic, ErrNoRequest)
	}
	return p, nil
}

// parseMethodResponse reads "{status}/?$rid={id}".
func parseMethodResponse(topic, rest string) (PublishTopic, error) {
	text, bag, _ := strings.Cut(rest, "/")
	status, err := strconv.Atoi(text)
	if err != nil {
		return PublishTopic{}, fmt.Errorf("topic %q: status %q is no integer: %w", topic, text, ErrTopic)
	}
	p, err := parseRequest(topic, KindMethodResponse, bag, true)
	if err != nil {
		return PublishTopic{}, err
	}
	p.Status = status
	return p, nil
}

// topicHint says what a near miss missed; empty when there is nothing to say.
func topicHint(id, topic string) string {
	switch parts := strings.Split(topic, "/"); {
	case topic == "":
		return ", it is empty"
	case parts[0] == "":
		return ", it begins with a slash"
	case len(parts) >= 2 && parts[0] == "devices" && parts[1] != id:
		return fmt.Sprintf(", it is one of %q, the device is %q", parts[1], id)
	case strings.EqualFold(topic, EventsTopic(id)):
		return ", case matters"
	case len(parts) >= 4 && parts[0] == "devices" && parts[3] == "devicebound":
		return ", the cloud sends there"
	}
	return fmt.Sprintf(", telemetry goes to %q", EventsTopic(id))
}

// ParseFilter says what a topic filter of device id is for. Another filter is
// an error that wraps [ErrFilter]; Edge Hub grants it and then ignores it.
func ParseFilter(id, filter string) (TopicKind, error) {
	switch filter {
	case DeviceboundFilter(id):
		return KindDevicebound, nil
	case twinResult + "#":
		return KindTwinResult, nil
	case twinDesired + "#":
		return KindTwinDesired, nil
	case methodInvoke + "#":
		return KindMethodInvoke, nil
	}
	return "", fmt.Errorf("filter %q: %w: nothing ever arrives there", filter, ErrFilter)
}

// CheckWillTopic says what is wrong with the topic of a last will: it must be
// device id's telemetry topic, with or without a bag (IoT Hub MQTT).
func CheckWillTopic(id, topic string) error {
	p, err := ParsePublishTopic(id, topic)
	if err != nil {
		return fmt.Errorf("will: %w", err)
	}
	if p.Kind != KindEvents {
		return fmt.Errorf("will: topic %q: %w for a will, only telemetry is", topic, ErrTopic)
	}
	return nil
}

// CloudToDeviceTopic is the topic on which the hub delivers a cloud-to-device
// message to device id.
func CloudToDeviceTopic(id string, system map[string]string, properties []Property) string {
	return "devices/" + id + "/messages/devicebound/" + EncodeBag(system, properties)
}

// TwinResultTopic is the topic of the hub's answer to a twin request. A
// negative version is left out (only a reported patch has one).
func TwinResultTopic(status int, requestID string, version int) string {
	topic := fmt.Sprintf("%s%d/?$rid=%s", twinResult, status, escape(requestID))
	if version >= 0 {
		topic += fmt.Sprintf("&$version=%d", version)
	}
	return topic
}

// TwinDesiredTopic is the topic on which the hub tells of a change of desired
// properties.
func TwinDesiredTopic(version int) string { return fmt.Sprintf("%s?$version=%d", twinDesired, version) }

// MethodTopic is the topic on which the hub calls the direct method name.
func MethodTopic(name, requestID string) string {
	return methodInvoke + name + "/?$rid=" + escape(requestID)
}

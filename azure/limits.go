package azure

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The limits of IoT Hub that bind a device.
const (
	MaxMessage       = 256 * 1024         // bytes of a device-to-cloud message as [MessageSize] counts them
	MaxCloudToDevice = 64 * 1024          // bytes of a cloud-to-device message
	MaxFilters       = 5                  // topic filters subscribed to at a time
	MaxQoS           = 1                  // a PUBLISH at QoS 2 ends the connection; a filter is granted 1
	MaxIdle          = 1767 * time.Second // silence after which any connection is dropped (29.45 min)
	MaxKeepAlive     = 1177 * time.Second // longest keep-alive that has its full effect
)

// ErrTooLarge is wrapped by [CheckSize].
var ErrTooLarge = errors.New("message too large")

// ServerTimeout is the silence after which the hub drops a connection: 1.5
// times the client's keep-alive, at most [MaxIdle] (IoT Hub MQTT, "Default
// keep-alive time-out"); for keep-alive 0, MaxIdle (protocol gateway,
// DeriveKeepAliveTimeout).
func ServerTimeout(keepAlive time.Duration) time.Duration {
	if keepAlive <= 0 || keepAlive > MaxIdle {
		return MaxIdle
	}
	return min(keepAlive*3/2, MaxIdle)
}

// MessageSize is the size of a message as IoT Hub measures it: body, values of
// system properties, names and values of application properties (IoT Hub,
// "Create and read IoT Hub messages").
func MessageSize(body int, system, properties map[string]string) int {
	size := body
	for _, value := range system {
		size += len(value)
	}
	for name, value := range properties {
		size += len(name) + len(value)
	}
	return size
}

// CheckSize is an error when a message of this size is over [MaxMessage].
func CheckSize(body int, system, properties map[string]string) error {
	if size := MessageSize(body, system, properties); size > MaxMessage {
		return fmt.Errorf("%w: %d bytes of body and properties, at most %d are allowed", ErrTooLarge, size, MaxMessage)
	}
	return nil
}

// CheckSize is [CheckSize] of a PUBLISH to this topic. The topic does not count as
// it stands on the wire, but as the properties that are in it, and of telemetry
// alone: what a request's topic says is no property.
func (t PublishTopic) CheckSize(body int) error {
	if t.Kind != KindEvents {
		return CheckSize(body, nil, nil)
	}
	return CheckSize(body, t.System, t.Properties)
}

// GrantedQoS is the QoS that the hub grants to a requested one: 2 becomes 1
// (IoT Hub MQTT).
func GrantedQoS(requested byte) byte { return min(requested, MaxQoS) }

// ErrNotASCII is wrapped by [CheckC2DProperty].
var ErrNotASCII = errors.New("not printable ASCII")

// CheckC2DProperty says what keeps a property from going to a device: its name
// and its value are ASCII (Azure: "Create and read IoT Hub messages"), and a
// name is not empty.
func CheckC2DProperty(name, value string) error {
	if name == "" {
		return errors.New("a property without a name")
	}
	for _, s := range []string{name, value} {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("property %q: %q is %w, as IoT Hub wants names and values", name, s, ErrNotASCII)
		}
	}
	return nil
}

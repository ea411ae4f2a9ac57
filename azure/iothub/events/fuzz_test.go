package events

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"hilrig/azure"
)

// Whatever an endpoint hands on: it is a message of a device with all of its
// payload, or none.
func FuzzEvent(f *testing.F) {
	f.Add("d", "Telemetry", "mqtt-retain", "true", []byte("{}"), 1)
	f.Add("", "twinChangeEvents", "$.ct", "a", []byte(nil), 0)
	f.Add("d", "", "iothub-MessageType", "Will", []byte{0xff}, 3)
	f.Fuzz(func(t *testing.T, device, source, name, value string, payload []byte, parts int) {
		e := &azeventhubs.ReceivedEventData{SystemProperties: map[string]any{
			azure.SystemConnectionDeviceID: device, systemSource: source, name: value,
		}}
		e.Properties = map[string]any{name: value}
		var sections [][]byte
		for range min(max(parts, 0), 8) {
			sections = append(sections, payload)
		}
		e.RawAMQPMessage = &azeventhubs.AMQPAnnotatedMessage{Body: azeventhubs.AMQPAnnotatedMessageBody{Data: sections}}
		got, is := asEvent(e, time.Now())
		if !is {
			return
		}
		if got.DeviceID == "" || got.Message == nil || len(got.Message.Payload) != len(sections)*len(payload) {
			t.Errorf("%+v of %d sections of %d bytes", got, len(sections), len(payload))
		}
	})
}

func FuzzRedirect(f *testing.F) {
	f.Add("amqps://ns.servicebus.windows.net:5671/hub/$management")
	f.Add("amqps://x/;EntityPath=y/$management")
	f.Fuzz(func(t *testing.T, address string) {
		host, entity, err := parseRedirect(address)
		if err == nil && (host == "" || entity == "" || strings.Contains(host+entity, ";")) {
			t.Errorf("%q: %q, %q", address, host, entity)
		}
	})
}

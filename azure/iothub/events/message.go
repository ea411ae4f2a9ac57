package events

import (
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"hilrig/azure"
	"hilrig/azure/hub"
)

// Telemetry is the source of a message that a device sent; the hub's own events
// have others.
const Telemetry = "Telemetry"

// systemSource is the annotation that says which source a message is of.
const systemSource = "iothub-message-source"

// asEvent is what arrived as a hub's record has it; false where no device sent
// it.
func asEvent(e *azeventhubs.ReceivedEventData, read time.Time) (hub.Event, bool) {
	system := map[string]string{}
	for name, value := range e.SystemProperties {
		system[name] = text(value)
	}
	own(system, e)
	device := system[azure.SystemConnectionDeviceID]
	if source := system[systemSource]; device == "" || source != "" && source != Telemetry {
		return hub.Event{}, false
	}
	m := &hub.Message{Payload: body(e), System: system, Properties: map[string]string{}}
	for name, value := range e.Properties {
		switch known := azure.SystemName(name); {
		case known != "":
			system[known] = text(value)
		case name == azure.SystemMessageType: // the hub's own, and among the application's
			system[name] = text(value)
		default:
			m.Properties[name] = text(value)
		}
	}
	m.Retain = m.Properties[azure.PropertyRetain] == "true"
	m.Dup = m.Properties[azure.PropertyDup] == "true"
	m.Will = system[azure.SystemMessageType] == "Will"
	if e.EnqueuedTime != nil {
		m.Enqueued = e.EnqueuedTime.UTC()
	}
	what := "telemetry"
	if m.Will {
		what = "the device's will"
	}
	return hub.Event{
		At: read, Kind: hub.KindMessage, DeviceID: device, Message: m, Text: fmt.Sprintf("%s, %d bytes", what, len(m.Payload)),
	}, true
}

// own adds the properties that AMQP has fields for.
func own(system map[string]string, e *azeventhubs.ReceivedEventData) {
	if e.RawAMQPMessage == nil || e.RawAMQPMessage.Properties == nil {
		return
	}
	p := e.RawAMQPMessage.Properties
	for name, value := range map[string]any{
		azure.SystemMessageID: p.MessageID, azure.SystemCorrelationID: p.CorrelationID,
		azure.SystemContentType: p.ContentType, azure.SystemContentEncoding: p.ContentEncoding, azure.SystemTo: p.To,
	} {
		if s := text(value); s != "" {
			system[name] = s
		}
	}
}

// body is the payload, whatever number of sections it came in.
func body(e *azeventhubs.ReceivedEventData) []byte {
	if e.RawAMQPMessage == nil {
		return e.Body
	}
	switch b := e.RawAMQPMessage.Body; {
	case len(b.Data) > 0:
		whole := []byte{}
		for _, part := range b.Data {
			whole = append(whole, part...)
		}
		return whole
	case b.Value != nil:
		return []byte(text(b.Value))
	}
	return nil
}

// text is a value of AMQP as people and the other hubs write it.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case *string:
		if v == nil {
			return ""
		}
		return *v
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(azure.EnqueuedForm)
	}
	return fmt.Sprint(value)
}

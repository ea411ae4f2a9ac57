package localhub

import (
	"fmt"
	"hilrig/azure/hub"
	"maps"
	"time"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
)

// receivePublish records telemetry and acknowledges it. Nobody but the record
// and the service side gets it: the hub is no general broker. In MQTT 3.1.1 a
// hub has no word for no: what it does not take ends the connection.
func (c *conn) receivePublish(f mqttwire.Frame, p mqttwire.Packet) bool {
	t, err := azure.ParsePublishTopic(c.deviceID, p.Topic)
	if err != nil {
		c.refuseOn("PUBLISH refused: " + err.Error())
		return false
	}
	if why := tooLong(f, p, t); why != "" {
		c.refuseOn("PUBLISH refused: " + why)
		return false
	}
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return t.Kind == azure.KindEvents && x.RefuseMessages }); ok {
		c.cut("telemetry refused: throttled", fault.Name) // MQTT has no word for it
		return false
	}
	switch t.Kind {
	case azure.KindEvents:
		c.message(p, t, false)
	case azure.KindTwinGet, azure.KindTwinReported:
		c.receiveTwin(p, t)
	case azure.KindMethodResponse:
		c.receiveMethod(p, t)
	}
	switch p.QoS {
	case 1:
		c.send(mqttwire.Packet{Type: mqttwire.PUBACK, ID: p.ID})
	case 2:
		c.refuseOn("PUBLISH with QoS 2: delivered, then closed")
		return false
	}
	return true
}

// publishWill delivers a will as the telemetry that it is, marked (Azure:
// iot-hub-mqtt-support; protocol gateway, CompletePublishAsync).
func (c *conn) publishWill(w *mqttwire.Will) {
	t, err := azure.ParsePublishTopic(c.deviceID, w.Topic)
	if err != nil {
		return // it was said when it came
	}
	c.message(mqttwire.Packet{Topic: w.Topic, Payload: w.Payload, QoS: w.QoS, Retain: w.Retain}, t, true)
}

// message records a message. Its payload stays the packet's: a frame has its
// own memory.
func (c *conn) message(p mqttwire.Packet, t azure.PublishTopic, will bool) {
	now := time.Now()
	system := c.system(now, t.System)
	props := maps.Clone(t.Properties)
	if props == nil {
		props = map[string]string{}
	}
	text := fmt.Sprintf("telemetry, %d bytes", len(p.Payload))
	if will {
		text = fmt.Sprintf("will of %s, %d bytes", c.deviceID, len(p.Payload))
		props[azure.SystemMessageType] = "Will"
	}
	if p.Retain {
		props[azure.PropertyRetain] = "true"
	}
	if p.Dup {
		props[azure.PropertyDup] = "true"
	}
	c.event(hub.Event{Kind: hub.KindMessage, At: now, Text: text, Message: &hub.Message{
		Topic: p.Topic, Properties: props, System: system, Payload: p.Payload,
		QoS: p.QoS, Retain: p.Retain, Dup: p.Dup, PacketID: p.ID, Will: will, Enqueued: now,
	}})
}

// tooLong says why a message is larger than IoT Hub takes.
func tooLong(f mqttwire.Frame, p mqttwire.Packet, t azure.PublishTopic) string {
	if f.Truncated {
		return fmt.Sprintf("%d bytes on the wire", p.Size)
	}
	if err := t.CheckSize(len(p.Payload)); err != nil {
		return err.Error()
	}
	return ""
}

// system are a message's properties with those that the cloud adds.
func (c *conn) system(now time.Time, own map[string]string) map[string]string {
	device, _ := c.hub.Lookup(c.deviceID)
	stamps := azure.Stamps{DeviceID: c.deviceID, Generation: device.Generation, ModelID: c.connect.ModelID, Enqueued: now}
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.AuthMethod != "" }); ok {
		stamps.AuthMethod = fault.AuthMethod
	}
	return azure.Stamp(own, stamps)
}

// receiveSubscribe takes every filter, as Edge Hub does: one that is not the
// hub's is granted and never served. Those of the session count, not only those
// of this packet.
func (c *conn) receiveSubscribe(p mqttwire.Packet) bool {
	text := "subscribed"
	codes, filters := make([]byte, len(p.Filters)), make([]mqttwire.Filter, 0, len(p.Filters))
	for i, filter := range p.Filters {
		text += " " + filter.Topic
		if !mqttwire.ValidFilter(filter.Topic) {
			codes[i] = failure
			continue
		}
		if _, err := azure.ParseFilter(c.deviceID, filter.Topic); err != nil {
			text += " (ignored)"
		}
		codes[i] = azure.GrantedQoS(filter.QoS)
		filters = append(filters, filter)
	}
	c.event(hub.Event{Kind: hub.KindSubscribed, Text: text, Filters: p.Filters})
	if n := c.hub.subs.add(c.deviceID, filters); n > azure.MaxFilters {
		c.refuseOn(fmt.Sprintf("SUBSCRIBE refused: %d filters; IoT Hub takes %d at a time", n, azure.MaxFilters))
		return false
	}
	c.sendFor(mqttwire.Packet{Type: mqttwire.SUBACK, ID: p.ID, ReturnCodes: codes}, filters)
	return true
}

// failure is the return code of a filter that is none (MQTT 3.1.1 section 3.9.3).
const failure = 0x80

// serve is the SUBACK of filters, sent or kept back: from now on the device gets
// what they ask for.
func (c *conn) serve(filters []mqttwire.Filter) {
	c.hub.subs.serve(c.deviceID, filters)
	c.event(hub.Event{Kind: hub.KindServed, Text: "serves what was subscribed", Filters: filters})
	c.wake()
}

package localhub

import (
	"fmt"
	"maps"
	"time"

	"hilrig/azure"
	"hilrig/azure/localhub/mqttwire"
)

// receivePublish records telemetry before the broker acknowledges it. In MQTT
// 3.1.1 a hub has no word for no: what it does not take ends the connection.
func (c *conn) receivePublish(f mqttwire.Frame, p mqttwire.Packet) bool {
	t, err := azure.ParsePublishTopic(c.deviceID, p.Topic)
	if err != nil {
		c.cut("PUBLISH refused: "+err.Error(), "")
		return false
	}
	if why := tooLong(f, p, t); why != "" {
		c.cut("PUBLISH refused: "+why, "")
		return false
	}
	if fault, ok := c.hub.faults.take(c.id, func(x Fault) bool { return t.Kind == azure.KindEvents && x.RefuseMessages }); ok {
		c.cut("telemetry refused: throttled", fault.Name) // MQTT has no word for it
		return false
	}
	switch t.Kind {
	case azure.KindEvents:
		c.message(p, t)
	case azure.KindTwinGet, azure.KindTwinReported:
		c.receiveTwin(p, t)
	case azure.KindMethodResponse:
		c.receiveMethod(p, t)
	}
	if p.QoS == 2 {
		c.cut("PUBLISH with QoS 2: delivered, then closed", "")
		return false
	}
	raw := f.Raw
	if p.Retain { // not kept: it became a property
		raw = append([]byte(nil), raw...)
		raw[0] &^= 1
	}
	c.ready = append(c.ready, raw...)
	return true
}

func (c *conn) message(p mqttwire.Packet, t azure.PublishTopic) {
	now := time.Now()
	system := c.system(now, t.System)
	props := maps.Clone(t.Properties)
	if props == nil {
		props = map[string]string{}
	}
	if p.Retain {
		props["mqtt-retain"] = "true"
	}
	if p.Dup {
		props["mqtt-dup"] = "true"
	}
	c.event(Event{Kind: KindMessage, At: now, Text: fmt.Sprintf("telemetry, %d bytes", len(p.Payload)), Message: &Message{
		Topic: p.Topic, Properties: props, System: system, Payload: append([]byte(nil), p.Payload...),
		QoS: p.QoS, Retain: p.Retain, Dup: p.Dup, PacketID: p.ID, Enqueued: now,
	}})
}

// tooLong says why a message is larger than IoT Hub takes. Its topic does not
// count as it stands on the wire, but as the properties that are in it.
func tooLong(f mqttwire.Frame, p mqttwire.Packet, t azure.PublishTopic) string {
	if f.Truncated {
		return fmt.Sprintf("%d bytes on the wire", p.Size)
	}
	properties := t.Properties
	if t.Kind != azure.KindEvents { // what a request's topic says is no property
		properties = nil
	}
	if err := azure.CheckSize(len(p.Payload), t.System, properties); err != nil {
		return err.Error()
	}
	return ""
}

// system are a message's properties with those that the cloud adds.
func (c *conn) system(now time.Time, own map[string]string) map[string]string {
	device, _ := c.hub.Lookup(c.deviceID)
	stamps := azure.Stamps{DeviceID: c.deviceID, Generation: device.Generation, ModelID: c.connect.ModelID, Enqueued: now}
	if fault, ok := c.hub.faults.take(c.id, func(x Fault) bool { return x.AuthMethod != "" }); ok {
		stamps.AuthMethod = fault.AuthMethod
	}
	return azure.Stamp(own, stamps)
}

// receiveSubscribe takes every filter, as Edge Hub does: one that is not the
// hub's is granted and never served. Those of the session count, not only those
// of this packet.
func (c *conn) receiveSubscribe(f mqttwire.Frame, p mqttwire.Packet) bool {
	text := "subscribed"
	for _, filter := range p.Filters {
		text += " " + filter.Topic
		if _, err := azure.ParseFilter(c.deviceID, filter.Topic); err != nil {
			text += " (ignored)"
		}
	}
	c.event(Event{Kind: KindSubscribed, Text: text, Filters: p.Filters})
	if n := c.hub.subs.add(c.deviceID, p.Filters); n > azure.MaxFilters {
		c.cut(fmt.Sprintf("SUBSCRIBE refused: %d filters; IoT Hub takes %d at a time", n, azure.MaxFilters), "")
		return false
	}
	c.mu.Lock()
	c.asked[p.ID] = p.Filters
	c.mu.Unlock()
	c.ready = append(c.ready, f.Raw...)
	return true
}

// serve is the broker's SUBACK, sent or kept back: from now on the device gets
// what its filters ask for.
func (c *conn) serve(f mqttwire.Frame) {
	p, _ := mqttwire.Decode(f, false)
	c.mu.Lock()
	filters := c.asked[p.ID]
	delete(c.asked, p.ID)
	c.mu.Unlock()
	c.hub.subs.serve(c.deviceID, filters)
	c.event(Event{Kind: KindServed, Text: "serves what was subscribed", Filters: filters})
	c.mail.wake()
}

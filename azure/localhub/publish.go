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
	if err := azure.CheckSize(p.Size, nil, nil); err != nil || f.Truncated {
		c.cut(fmt.Sprintf("PUBLISH of %d bytes refused: over 262144", p.Size), "")
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
		Topic: p.Topic, Properties: props, System: c.system(now, t.System), Payload: append([]byte(nil), p.Payload...),
		QoS: p.QoS, Retain: p.Retain, Dup: p.Dup, PacketID: p.ID, Enqueued: now,
	}})
}

// system are the properties that the cloud adds (Azure: message system
// properties).
func (c *conn) system(now time.Time, own map[string]string) map[string]string {
	s := maps.Clone(own)
	if s == nil {
		s = map[string]string{}
	}
	s["iothub-connection-device-id"] = c.deviceID
	s["iothub-connection-auth-method"] = azure.AuthMethodX509
	s["iothub-enqueuedtime"] = now.UTC().Format(time.RFC3339Nano)
	return s
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

package localhub

import (
	"fmt"
	"hilrig/azure/hub"
	"strings"
	"time"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
	"hilrig/record"
)

// SendToDevice queues a message as IoT Hub does. It goes once the device listens,
// be it later, at QoS 1, with its properties in the topic; PUBACK completes it;
// unacknowledged it comes again, with DUP, after its lock and at the next
// connect, until its time to live is over (Azure: iot-hub-mqtt-support,
// iot-hub-devguide-messages-c2d). Errors are of class usage and wrap a [Refusal].
func (h *Hub) SendToDevice(deviceID string, m hub.DeviceBound) error {
	_, known := h.Lookup(deviceID)
	refused := func(why error) error {
		return record.NewFailure(record.Usage, "send a message to", deviceID, why)
	}
	switch {
	case !known:
		return refused(notRegistered(deviceID))
	case m.Size() > azure.MaxCloudToDevice:
		return refused(tooLarge("%d bytes of body and properties; IoT Hub takes %d", m.Size(), azure.MaxCloudToDevice))
	case m.Forbidden() != nil:
		return refused(invalid("%v", m.Forbidden()))
	case !h.bound.add(deviceID, m, time.Now()):
		return refused(queueFull())
	}
	h.events.Add(hub.Event{Kind: hub.KindDeviceBound, DeviceID: deviceID, Text: fmt.Sprintf("message %s of %d bytes to the device", m.ID, len(m.Payload))})
	if c := h.living(deviceID); c != nil {
		c.wake()
	}
	return nil
}

// Pending is how many messages wait for a device, unacknowledged ones among
// them.
func (h *Hub) Pending(deviceID string) int { return h.bound.count(deviceID) }

// Purge drops what is on its way to a device and not acknowledged, and says how
// much that was (Azure: purge device queue).
func (h *Hub) Purge(deviceID string) int { return h.bound.purge(deviceID) }

// deliver sends what is due on the connection, and says when to look again;
// zero: when woken.
func (c *conn) deliver() (again time.Time, sent bool) {
	f, ok := c.hub.subs.find(c.deviceID, azure.KindDevicebound)
	if !ok || !f.served || c.hub.living(c.deviceID) != c {
		return time.Time{}, false
	}
	c.greet()
	due := c.hub.bound.due(c.deviceID, c.id, f.qos, time.Now())
	for _, b := range due.expired {
		c.event(hub.Event{Kind: hub.KindCompleted, Text: "message " + b.ID + " expired"})
	}
	for _, p := range due.packets {
		c.send(p)
		if p.QoS == 0 {
			continue
		}
		if _, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.Twice }); ok {
			p.Dup = true
			c.send(p)
		}
	}
	return due.again, len(due.packets) > 0
}

// greet is the fault of a large message as soon as the device listens.
func (c *conn) greet() {
	if c.mail.delivered {
		return
	}
	c.mail.delivered = true
	if fault, ok := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.FirstDelivery > 0 }); ok {
		m := hub.DeviceBound{ID: fault.Name, Payload: []byte(strings.Repeat("x", max(0, fault.FirstDelivery-len(fault.Name))))}
		c.hub.bound.add(c.deviceID, m, time.Now()) // to a full queue it adds nothing
	}
}

// receivePuback completes a message.
func (c *conn) receivePuback(p mqttwire.Packet) {
	if m, ok := c.hub.bound.complete(c.deviceID, p.ID); ok {
		c.event(hub.Event{Kind: hub.KindCompleted, Text: "message " + m.ID + " completed"})
	}
}

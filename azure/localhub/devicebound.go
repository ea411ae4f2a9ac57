package localhub

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"hilrig/record"
)

// DeviceBound is a cloud-to-device message.
type DeviceBound struct {
	ID         string // message id; in the topic as $.mid
	Payload    []byte
	Properties map[string]string
}

// maxDeviceBound is the most a cloud-to-device message may have (Azure: 64 KB).
const maxDeviceBound = 64 << 10

// SendToDevice sends a message as IoT Hub does: at QoS 1, with its properties
// in the topic (Azure: iot-hub-mqtt-support). To a device that is away with a
// session it goes when the device is back; what is not acknowledged goes again
// at the next connect, with DUP. A device that has not subscribed gets nothing.
func (h *Hub) SendToDevice(deviceID string, m DeviceBound) error {
	if _, known := h.Lookup(deviceID); !known {
		return record.NewFailure(record.Usage, "send a message to", deviceID, errors.New("no such device is registered"))
	}
	if len(m.Payload) > maxDeviceBound {
		return record.NewFailure(record.Usage, "send a message to", deviceID, fmt.Errorf("%d bytes; IoT Hub takes %d", len(m.Payload), maxDeviceBound))
	}
	if err := h.broker.Publish("devices/"+deviceID+"/messages/devicebound/"+m.properties(deviceID), m.Payload, false, 1); err != nil {
		return record.NewFailure(record.Harness, "send a message to", deviceID, err)
	}
	h.events.add(Event{Kind: KindDeviceBound, DeviceID: deviceID, Text: fmt.Sprintf("message %s of %d bytes to the device", m.ID, len(m.Payload))})
	return nil
}

// properties are in the order of their names, percent-encoded.
func (m DeviceBound) properties(deviceID string) string {
	all := map[string]string{"$.to": "/devices/" + deviceID + "/messages/deviceBound"}
	if m.ID != "" {
		all["$.mid"] = m.ID
	}
	maps.Copy(all, m.Properties)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, escape(name)+"="+escape(all[name]))
	}
	return strings.Join(parts, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Purge drops what is on its way to a device and not acknowledged (Azure: purge
// device queue).
func (h *Hub) Purge(deviceID string) {
	if c, ok := h.broker.Clients.Get(deviceID); ok {
		c.ClearInflights()
	}
}

package hub

import (
	"maps"
	"slices"
	"time"

	"hilrig/azure"
)

// DeviceBound is a cloud-to-device message.
type DeviceBound struct {
	ID         string // message id; in the topic as $.mid
	Payload    []byte
	Properties map[string]string
	TTL        time.Duration // 0: one hour
}

// Size is what IoT Hub counts of it, in bytes.
func (m DeviceBound) Size() int {
	return azure.MessageSize(len(m.Payload), map[string]string{azure.SystemMessageID: m.ID}, m.Properties)
}

// Forbidden says which property cannot go to a device.
func (m DeviceBound) Forbidden() error {
	if err := azure.CheckC2DProperty("$.mid", m.ID); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m.Properties)) {
		if err := azure.CheckC2DProperty(name, m.Properties[name]); err != nil {
			return err
		}
	}
	return nil
}

// Topic is the one it goes to. A property that bears the key of a system
// property stands in its place.
func (m DeviceBound) Topic(deviceID string) string {
	system := map[string]string{azure.SystemTo: "/devices/" + deviceID + "/messages/deviceBound"}
	if m.ID != "" {
		system[azure.SystemMessageID] = m.ID
	}
	var properties []azure.Property
	for _, name := range slices.Sorted(maps.Keys(m.Properties)) {
		delete(system, azure.SystemName(name))
		properties = append(properties, azure.Property{Name: name, Value: m.Properties[name]})
	}
	return azure.CloudToDeviceTopic(deviceID, system, properties)
}

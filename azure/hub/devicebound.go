package hub

import (
	"hilrig/azure"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
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

// Topic is the one it goes to, with the properties in the order of their names, percent-encoded.
func (m DeviceBound) Topic(deviceID string) string {
	all := map[string]string{"$.to": "/devices/" + deviceID + "/messages/deviceBound"}
	if m.ID != "" {
		all["$.mid"] = m.ID
	}
	maps.Copy(all, m.Properties)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, escape(name)+"="+escape(all[name]))
	}
	return "devices/" + deviceID + "/messages/devicebound/" + strings.Join(parts, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

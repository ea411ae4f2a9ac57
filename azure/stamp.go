package azure

import (
	"maps"
	"time"
)

// Stamps are what IoT Hub itself says of a message (Azure: "Create and read IoT
// Hub messages", "Anti-spoofing properties").
type Stamps struct {
	DeviceID   string
	Generation string // of the device's identity; empty where nobody knows it
	AuthMethod string // empty: [AuthMethodX509]
	ModelID    string // that the device gave in its user name; empty: none
	Enqueued   time.Time
}

// EnqueuedForm has a fixed width, so that times sort as text.
const EnqueuedForm = "2006-01-02T15:04:05.000Z"

// Stamp is a device's own system properties with those of the hub, which a
// device cannot forge: what it wrote under their names is gone. own is not
// changed.
func Stamp(own map[string]string, s Stamps) map[string]string {
	all := maps.Clone(own)
	if all == nil {
		all = map[string]string{}
	}
	delete(all, SystemConnectionModuleID) // a device is no module
	if s.AuthMethod == "" {
		s.AuthMethod = AuthMethodX509
	}
	for name, value := range map[string]string{
		SystemConnectionDeviceID: s.DeviceID, SystemGeneration: s.Generation, SystemAuthMethod: s.AuthMethod,
		SystemDataSchema: s.ModelID, SystemEnqueued: s.Enqueued.UTC().Format(EnqueuedForm),
	} {
		if delete(all, name); value != "" {
			all[name] = value
		}
	}
	return all
}

package control

import (
	"encoding/json"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
)

// About is what a hub says of itself.
type About struct {
	Address string   `json:"address"` // what devices dial
	PID     int      `json:"pid"`
	Devices []Device `json:"devices"`
}

// Device is one that is registered.
type Device struct {
	ID        string `json:"id"`
	Connected bool   `json:"connected"`
	Waiting   int    `json:"waiting"` // messages to it
}

// Send is a cloud-to-device message.
type Send struct {
	Device     string            `json:"device"`
	ID         string            `json:"id"`
	Payload    []byte            `json:"payload"`
	Properties map[string]string `json:"properties,omitempty"`
	TTL        time.Duration     `json:"ttl,omitempty"`
	Wait       time.Duration     `json:"wait,omitempty"` // until the device has acknowledged it
}

// Sent is what became of it.
type Sent struct {
	ID        string `json:"id"`
	Connected bool   `json:"connected"`
	Completed bool   `json:"completed"` // acknowledged, within [Send.Wait]
	Waiting   int    `json:"waiting"`   // messages to the device
}

// Invoke is a call of a direct method.
type Invoke struct {
	Device  string          `json:"device"`
	Method  string          `json:"method"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Within  time.Duration   `json:"within"`
	Connect time.Duration   `json:"connect,omitempty"` // to wait for the device, where it is away
}

// Invoked is the device's answer.
type Invoked struct {
	Status  int             `json:"status"`
	Payload json.RawMessage `json:"payload"`
}

// Patch is a change of a twin.
type Patch struct {
	Device  string          `json:"device"`
	Desired json.RawMessage `json:"desired,omitempty"`
	Tags    json.RawMessage `json:"tags,omitempty"`
	Replace bool            `json:"replace,omitempty"`
}

// Patched is the twin behind it.
type Patched struct {
	Version   int             `json:"version"` // of the whole
	Connected bool            `json:"connected"`
	Tags      json.RawMessage `json:"tags,omitempty"`
	Desired   json.RawMessage `json:"desired"`
	Reported  json.RawMessage `json:"reported"`
}

// Show is a fault to show.
type Show struct {
	Fault  string `json:"fault"`
	Device string `json:"device,omitempty"` // empty: to every device
	Times  int    `json:"times,omitempty"`  // 0: until lifted
	Lift   bool   `json:"lift,omitempty"`   // ends what is shown instead; an empty Fault is all
}

// Shown is a fault that is shown at present, or was.
type Shown struct {
	Fault  string `json:"fault"`
	Device string `json:"device,omitempty"`
	Times  int    `json:"times,omitempty"` // to be shown; 0: until lifted
	Count  int    `json:"count"`           // shown so far
	Done   bool   `json:"done,omitempty"`  // by itself at once, or often enough
}

// problem is an error on its way through the socket.
type problem struct {
	Class   record.Class `json:"class"`
	Step    string       `json:"step"`
	Subject string       `json:"subject"`
	Cause   string       `json:"cause"`
	Cure    string       `json:"cure,omitempty"`
}

// Fault is a row of what can be shown beyond [localhub.NamedFaults], such as a
// certificate that must be made first.
type Fault struct {
	Name, Shows string
}

func messageOf(s Send) hub.DeviceBound {
	return hub.DeviceBound{ID: s.ID, Payload: s.Payload, Properties: s.Properties, TTL: s.TTL}
}

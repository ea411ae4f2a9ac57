package localhub

import (
	"bytes"
	"errors"
	"fmt"

	"hilrig/azure"
	"hilrig/azure/localhub/mqttwire"
)

// TwinOp is what happened to a twin.
type TwinOp string

// What happens to twins.
const (
	TwinGet      TwinOp = "get"      // the device asked for it
	TwinReported TwinOp = "reported" // the device changed its reported properties
	TwinDesired  TwinOp = "desired"  // the hub told the device of a change
)

// TwinExchange is a request of the device with the hub's answer, or a
// notification of the hub's.
type TwinExchange struct {
	Op        TwinOp `json:"op"`
	RequestID string `json:"rid,omitempty"`
	Status    int    `json:"status,omitempty"`  // of the answer
	Version   int    `json:"version,omitempty"` // reported and desired: the section's after it
	Payload   []byte `json:"-"`                 // of the request or the notification
	Cut       bool   `json:"-"`                 // the payload is its beginning only: the record was full
	Unheard   bool   `json:"unheard,omitempty"` // the device has not subscribed to it
}

// receiveTwin answers a twin request (Azure: iot-hub-mqtt-support, "Retrieve
// device twin properties", "Update device twin's reported properties"): 200
// with both sections, 204 with the new version, 400 for what is no JSON, 413
// for too much, 429 when throttled.
func (c *conn) receiveTwin(p mqttwire.Packet, t azure.PublishTopic) {
	x := TwinExchange{Op: TwinGet, RequestID: t.RequestID, Status: 200, Payload: bytes.Clone(p.Payload)}
	version, body := -1, []byte(nil)
	fault, throttled := c.hub.faults.take(c.id, func(x Fault) bool { return x.TwinStatus != 0 })
	switch {
	case throttled:
		x.Status = fault.TwinStatus
	case t.Kind == azure.KindTwinGet:
		body = c.hub.twinBody(c.deviceID)
	default:
		x.Status = 204
		n, err := c.hub.twins.report(c.deviceID, p.Payload)
		if refused := (*Refusal)(nil); errors.As(err, &refused) {
			x.Status = refused.Status
			break
		}
		version, x.Version = n, n
	}
	if t.Kind == azure.KindTwinReported {
		x.Op = TwinReported
	}
	_, heard := c.hub.subs.find(c.deviceID, azure.KindTwinResult)
	x.Unheard = !heard
	c.event(Event{Kind: KindTwin, Text: x.String(), Fault: fault.Name, Twin: &x})
	if heard && t.RequestID != "" { // a patch may go without (Edge Hub)
		c.post(azure.TwinResultTopic(x.Status, t.RequestID, version), body)
	}
}

// String is one line for people.
func (x TwinExchange) String() string {
	s := fmt.Sprintf("twin %s", x.Op)
	if x.Status != 0 {
		s += fmt.Sprintf(": %d", x.Status)
	}
	if x.Version != 0 {
		s += fmt.Sprintf(", version %d", x.Version)
	}
	if x.Unheard {
		s += " (the device has not subscribed to it)"
	}
	return s
}

func (h *Hub) twinBody(id string) []byte {
	h.twins.mu.Lock()
	defer h.twins.mu.Unlock()
	v := h.twins.get(id).view()
	return fmt.Appendf(nil, `{"desired":%s,"reported":%s}`, v.Desired, v.Reported)
}

// tellDesired tells a connected device of a change.
func (h *Hub) tellDesired(id string, version int, patch []byte) {
	c := h.living(id)
	if c == nil {
		return
	}
	f, heard := h.subs.find(id, azure.KindTwinDesired)
	x := TwinExchange{Op: TwinDesired, Version: version, Payload: patch, Unheard: !heard || !f.served}
	c.event(Event{Kind: KindTwin, Text: x.String(), Twin: &x})
	if !x.Unheard {
		c.post(azure.TwinDesiredTopic(version), patch)
	}
}

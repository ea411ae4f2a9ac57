package localhub

import (
	"bytes"
	"errors"
	"fmt"
	"hilrig/azure/hub"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
)

// receiveTwin answers a twin request (Azure: iot-hub-mqtt-support, "Retrieve
// device twin properties", "Update device twin's reported properties"): 200
// with both sections, 204 with the new version, 400 for what is no JSON, 413
// for too much, 429 when throttled.
func (c *conn) receiveTwin(p mqttwire.Packet, t azure.PublishTopic) {
	x := hub.TwinExchange{Op: hub.TwinGet, RequestID: t.RequestID, Status: 200, Payload: bytes.Clone(p.Payload)}
	version, body := -1, []byte(nil)
	fault, throttled := c.hub.faults.Use(c.id, func(x hub.Fault) bool { return x.TwinStatus != 0 })
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
		x.Op = hub.TwinReported
	}
	_, heard := c.hub.subs.find(c.deviceID, azure.KindTwinResult)
	x.Unheard = !heard
	c.event(hub.Event{Kind: hub.KindTwin, Text: x.String(), Fault: fault.Name, Twin: &x})
	if heard && t.RequestID != "" { // a patch may go without (Edge Hub)
		c.post(azure.TwinResultTopic(x.Status, t.RequestID, version), body)
	}
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
	x := hub.TwinExchange{Op: hub.TwinDesired, Version: version, Payload: patch, Unheard: !heard || !f.served}
	c.event(hub.Event{Kind: hub.KindTwin, Text: x.String(), Twin: &x})
	if !x.Unheard {
		c.post(azure.TwinDesiredTopic(version), patch)
	}
}

package localhub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hilrig/azure/hub"
	"strconv"
	"strings"
	"sync"
	"time"

	"hilrig/azure"
	"hilrig/azure/mqttwire"
	"hilrig/record"
)

// Bounds of direct methods (Azure: iot-hub-devguide-direct-methods).
const (
	maxMethodPayload = 128 << 10
	methodWithin     = 30 * time.Second // where the caller says nothing
)

// calls are the methods that wait for their answers.
type calls struct {
	mu      sync.Mutex
	next    int
	waiting map[string]*call // by request id
}

type call struct {
	device, name string
	answered     chan hub.MethodCall // of capacity 1
}

func newCalls() *calls { return &calls{waiting: map[string]*call{}} }

func (c *calls) begin(device, name string) (rid string, waiting *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	rid, waiting = strconv.Itoa(c.next), &call{device, name, make(chan hub.MethodCall, 1)}
	c.waiting[rid] = waiting
	return rid, waiting
}

// end takes a call off the list; nil where none of the device waits.
func (c *calls) end(device, rid string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.waiting[rid]
	if waiting == nil || waiting.device != device {
		return nil
	}
	delete(c.waiting, rid)
	return waiting
}

// Invoke calls a direct method of a device and waits for its answer, timeout at
// most (0: 30 s). payload is JSON or empty; body is what the device sent, as it
// sent it. Errors wrap a [Refusal]: 404001 for a device that is not registered,
// 404103 for one that is not connected or has not subscribed to methods,
// 504101 for one that does not answer in time, 502101 for one that answers with
// more than a method takes.
func (h *Hub) Invoke(ctx context.Context, deviceID, method string, payload []byte, timeout time.Duration) (status int, body []byte, err error) {
	failed := func(class record.Class, why error) (int, []byte, error) {
		return 0, nil, record.NewFailure(class, "call method "+method+" of", deviceID, why)
	}
	if why := h.checkCall(deviceID, method, payload); why != nil {
		return failed(record.Usage, why)
	}
	c := h.living(deviceID)
	if c == nil {
		return failed(record.ClassDevice, notOnline("the device is not connected"))
	}
	if f, ok := h.subs.find(deviceID, azure.KindMethodInvoke); !ok || !f.served {
		return failed(record.ClassDevice, notOnline("the device has not subscribed to methods"))
	}
	if timeout <= 0 {
		timeout = methodWithin
	}
	rid, waiting := h.calls.begin(deviceID, method)
	defer h.calls.end(deviceID, rid)
	c.event(hub.Event{Kind: hub.KindMethod, Text: "method " + method + " → device", Method: &hub.MethodCall{Name: method, RequestID: rid, Payload: payload}})
	c.post(azure.MethodTopic(method, rid), payload)
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case a := <-waiting.answered:
		if len(a.Payload) > maxMethodPayload {
			return failed(record.ClassDevice, badResponse("an answer of %d bytes; a method takes %d", len(a.Payload), maxMethodPayload))
		}
		return a.Status, a.Payload, nil
	case <-limit.C:
		return failed(record.ClassDevice, timedOut("no answer within "+timeout.String()))
	case <-ctx.Done():
		return failed(record.Harness, context.Cause(ctx))
	}
}

// AwaitMethods waits until a device is connected and takes methods, within at
// most (Azure: iot-hub-devguide-direct-methods, connectTimeoutInSeconds), and
// reports whether it does.
func (h *Hub) AwaitMethods(ctx context.Context, deviceID string, within time.Duration) bool {
	takes := func() bool {
		f, ok := h.subs.find(deviceID, azure.KindMethodInvoke)
		return ok && f.served && h.living(deviceID) != nil
	}
	from := h.events.Mark()
	if takes() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := h.events.Await(ctx, from, func(e hub.Event) bool {
		return e.DeviceID == deviceID && (e.Kind == hub.KindConnect || e.Kind == hub.KindServed) && takes()
	})
	return err == nil
}

func (h *Hub) checkCall(deviceID, method string, payload []byte) error {
	_, known := h.Lookup(deviceID)
	switch {
	case !known:
		return notRegistered(deviceID)
	case method == "" || strings.ContainsFunc(method, notInMethodName):
		return invalid("method name %q: printable ASCII without %s is meant", method, forbiddenInMethodName)
	case len(payload) > maxMethodPayload:
		return tooLarge("%d bytes; a method takes %d", len(payload), maxMethodPayload)
	case len(payload) > 0 && !json.Valid(payload):
		return invalid("the payload is not JSON")
	}
	return nil
}

// forbiddenInMethodName is what a method's name must not hold (Azure:
// iot-hub-devguide-direct-methods).
const forbiddenInMethodName = `$()<>@,;:\"/[]?={} ` + "\t"

func notInMethodName(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(forbiddenInMethodName, r)
}

// receiveMethod takes a device's answer to whoever waits for it.
func (c *conn) receiveMethod(p mqttwire.Packet, t azure.PublishTopic) {
	a := hub.MethodCall{RequestID: t.RequestID, Answer: true, Status: t.Status, Payload: bytes.Clone(p.Payload)}
	waiting := c.hub.calls.end(c.deviceID, t.RequestID)
	text := fmt.Sprintf("answer %d to a method that nobody waits for", t.Status)
	if a.Late = waiting == nil; !a.Late {
		a.Name = waiting.name
		text = fmt.Sprintf("answer %d to method %s", t.Status, a.Name)
	}
	c.event(hub.Event{Kind: hub.KindMethod, Text: text, Method: &a})
	if waiting != nil {
		waiting.answered <- a
	}
}

package localhub

import (
	"context"
	"hilrig/azure/hub"
	"slices"
)

// Waiting reports whether a message to a device is still in its queue.
func (h *Hub) Waiting(deviceID, messageID string) bool {
	h.bound.mu.Lock()
	defer h.bound.mu.Unlock()
	own := h.bound.of[deviceID]
	return own != nil && slices.ContainsFunc(own.waiting, func(b *bound) bool { return b.ID == messageID })
}

// AwaitCompleted waits until a message to a device is out of its queue, as long
// as ctx allows, and reports whether it is.
func (h *Hub) AwaitCompleted(ctx context.Context, deviceID, messageID string) bool {
	from := h.events.Mark()
	if !h.Waiting(deviceID, messageID) {
		return true
	}
	_, err := h.events.Await(ctx, from, func(e hub.Event) bool {
		return e.Kind == hub.KindCompleted && e.DeviceID == deviceID && !h.Waiting(deviceID, messageID)
	})
	return err == nil
}

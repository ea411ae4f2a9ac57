package localhub

import (
	"cmp"
	"hilrig/azure/hub"
	"maps"
	"slices"
)

// Devices are all that are registered, by id.
func (h *Hub) Devices() []hub.Device {
	h.registry.mu.RLock()
	defer h.registry.mu.RUnlock()
	return slices.SortedFunc(maps.Values(h.registry.devices), func(a, b hub.Device) int { return cmp.Compare(a.ID, b.ID) })
}

// Connected reports whether a device has a living session.
func (h *Hub) Connected(id string) bool { return h.living(id) != nil }

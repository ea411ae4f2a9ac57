package localhub

import (
	"crypto/x509"
	"fmt"
	"hilrig/azure/hub"
	"strconv"
	"strings"
	"sync"
	"time"

	"hilrig/record"
)

// registry is the hub's list of devices.
type registry struct {
	mu      sync.RWMutex
	devices map[string]hub.Device
	last    int64 // generation given
}

func newRegistry(devices []hub.Device) *registry {
	r := &registry{devices: map[string]hub.Device{}}
	for _, d := range devices {
		r.put(d)
	}
	return r
}

// put is called with the lock held, or before anybody else knows r. A device
// that is there already keeps its generation.
func (r *registry) put(d hub.Device) {
	if old, known := r.devices[d.ID]; known {
		d.Generation = old.Generation
	} else {
		r.last = max(r.last+1, ticks(time.Now()))
		d.Generation = strconv.FormatInt(r.last, 10)
	}
	r.devices[d.ID] = d
}

// ticks are steps of 100 ns since the year 1, as .NET counts time and IoT Hub
// numbers generations.
func ticks(t time.Time) int64 {
	const yearOneToUnix = 621_355_968_000_000_000
	return yearOneToUnix + t.UnixNano()/100
}

// Register adds a device, or replaces the one with its id.
func (h *Hub) Register(d hub.Device) {
	h.registry.mu.Lock()
	defer h.registry.mu.Unlock()
	h.registry.put(d)
	h.twins.begin(d.ID)
	h.events.Know(d)
}

// Unregister takes a device out, its twin and its queue; its living session is not touched.
func (h *Hub) Unregister(id string) {
	h.registry.mu.Lock()
	defer h.registry.mu.Unlock()
	delete(h.registry.devices, id)
	h.twins.forget(id)
	h.bound.purge(id)
}

// Lookup finds a device by its exact id.
func (h *Hub) Lookup(id string) (hub.Device, bool) {
	h.registry.mu.RLock()
	defer h.registry.mu.RUnlock()
	d, ok := h.registry.devices[id]
	return d, ok
}

// admit says why the certificate may not speak for the device id; empty where
// it may. Azure checks validity and thumbprint and nothing else: the common
// name is not looked at (a Microsoft engineer on Azure/iotedge#621).
func (h *Hub) admit(id string, certs []*x509.Certificate, prints record.Thumbprints, now time.Time) string {
	d, known := h.Lookup(id)
	switch {
	case !known:
		return fmt.Sprintf("device %q is not registered", id)
	case d.Disabled:
		return fmt.Sprintf("device %s is disabled", id)
	case len(certs) == 0:
		return "no client certificate"
	}
	for _, t := range d.Thumbprints {
		if strings.EqualFold(t, prints.SHA1) || strings.EqualFold(t, prints.SHA256) {
			return datesOf(certs[0], now)
		}
	}
	return fmt.Sprintf("thumbprint %s is not registered for %s (expected %s)", prints.SHA256, id, strings.Join(d.Thumbprints, " or "))
}

func datesOf(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "the client certificate expired on " + c.NotAfter.UTC().Format(time.RFC3339)
	case now.Before(c.NotBefore):
		return "the client certificate is not valid before " + c.NotBefore.UTC().Format(time.RFC3339)
	}
	return ""
}

package registryapi

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"hilrig/azure/hub"
)

// metadata keeps what IoT Hub says of a device beyond what the hub needs to admit
// it. The hub's registry is the truth: a device that came or changed by another
// way is found so at the next look.
type metadata struct {
	hub Devices
	now func() time.Time

	mu      sync.Mutex // held over a look and the change that follows from it
	entries map[string]*entry
}

// entry is what is kept of one device.
type entry struct {
	device        hub.Device // as it was when looked at
	primary       string     // thumbprints
	secondary     string
	reason        string // of its status
	version       uint64
	made          time.Time // here; zero where it came another way
	statusChanged time.Time
}

func newMetadata(hub Devices, now func() time.Time) *metadata {
	return &metadata{hub: hub, now: now, entries: map[string]*entry{}}
}

// entryOf is a device's entry; nil where there is none. The lock is held.
func (l *metadata) entryOf(id string) *entry {
	d, known := l.hub.Lookup(id)
	if !known {
		delete(l.entries, id)
		return nil
	}
	e := l.entries[id]
	if e != nil && same(e.device, d) {
		return e
	}
	next := &entry{version: firstVersion()}
	if e != nil {
		*next = *e
	}
	next.device = d
	next.version++
	next.primary, next.secondary = "", ""
	if len(d.Thumbprints) > 0 {
		next.primary = d.Thumbprints[0]
	}
	if len(d.Thumbprints) > 1 {
		next.secondary = d.Thumbprints[1]
	}
	l.entries[id] = next
	return next
}

func same(a, b hub.Device) bool {
	return a.ID == b.ID && a.Generation == b.Generation && a.Disabled == b.Disabled && slices.Equal(a.Thumbprints, b.Thumbprints)
}

// put registers a device and returns its entry; old is nil for a new one. The
// lock is held.
func (l *metadata) put(old *entry, w wanted) *entry {
	e := &entry{version: firstVersion()}
	if old != nil {
		*e = *old
	} else {
		e.made = l.now()
	}
	d := hub.Device{ID: w.id, Disabled: w.disabled}
	for _, print := range []string{w.primary, w.secondary} {
		if print != "" {
			d.Thumbprints = append(d.Thumbprints, print)
		}
	}
	if old != nil && old.device.Disabled != d.Disabled {
		e.statusChanged = l.now()
	}
	e.device, e.primary, e.secondary, e.reason = d, w.primary, w.secondary, w.reason
	e.version++
	l.entries[w.id] = e
	l.hub.Register(d)
	e.device, _ = l.hub.Lookup(w.id) // with what the hub gave it
	return e
}

// madeWithin says whether a device was registered here less than that ago. The
// lock is held.
func (l *metadata) madeWithin(id string, ago time.Duration) bool {
	e := l.entryOf(id)
	return e != nil && l.now().Sub(e.made) < ago
}

// remove takes a device out. The lock is held.
func (l *metadata) remove(id string) {
	l.hub.Unregister(id)
	delete(l.entries, id)
}

// firstVersion is where the versions of a device begin; not at 1, so that a
// device made anew has no ETag of an earlier one.
func firstVersion() uint64 { return uint64(rand.Uint32N(900_000_000)) + 100_000_000 }

// etag is a number in base64, as recorded of the real hub's devices.
func (e *entry) etag() string {
	return base64.StdEncoding.EncodeToString(strconv.AppendUint(nil, e.version, 10))
}

// etagOf is a version as the ETags of IoT Hub's twins look.
func etagOf(version uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, version))
}

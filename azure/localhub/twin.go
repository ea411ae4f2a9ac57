package localhub

import (
	"hilrig/azure/hub"
	"sync"
	"time"

	"hilrig/record"
)

// TwinChange is what the service writes: nil leaves a part as it is.
type TwinChange struct {
	Desired, Tags []byte // JSON objects; null deletes
	Replace       bool   // instead of merging; nil is then an empty part
	First         bool   // the twin begins so: its versions stay those of a new one, and the time is none, as recorded of IoT Hub's bulks
}

// twins are the twins of a hub; a device has one from its first use on, and it
// outlives every session.
type twins struct {
	mu sync.Mutex // held while a patch is pushed: pushes are in the order of versions
	of map[string]*twin
}

type twin struct {
	desired, reported section
	tags              map[string]any
	model             string
	version, written  int
}

func newTwins() *twins { return &twins{of: map[string]*twin{}} }

// get is called with the lock held.
func (t *twins) get(id string) *twin {
	if t.of[id] == nil {
		now := time.Now()
		t.of[id] = &twin{desired: newSection(now), reported: newSection(now), version: 2, written: 1}
	}
	return t.of[id]
}

// begin makes a device's twin where it has none.
func (t *twins) begin(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.get(id)
}

func (t *twins) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, id)
}

// says notes the model that a device says it has; saying nothing takes none
// away (Azure: "IoT Plug and Play device developer guide").
func (t *twins) says(id, model string) {
	if model == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.get(id).model = model
}

func (t *twin) view() hub.Twin {
	v := hub.Twin{
		Desired: t.desired.json(), Reported: t.reported.json(),
		DesiredFull: t.desired.full(true), ReportedFull: t.reported.full(false),
		DesiredVersion: t.desired.version, ReportedVersion: t.reported.version,
		ModelID: t.model, Version: t.version, Written: t.written,
	}
	if len(t.tags) > 0 {
		v.Tags = encode(t.tags)
	}
	return v
}

// Twin is a registered device's twin.
func (h *Hub) Twin(deviceID string) (hub.Twin, bool) {
	if _, known := h.Lookup(deviceID); !known {
		return hub.Twin{}, false
	}
	h.twins.mu.Lock()
	defer h.twins.mu.Unlock()
	return h.twins.get(deviceID).view(), true
}

// PatchDesired merges a patch, a JSON object in which null deletes, into a
// device's desired properties, and tells the device if it is connected and has
// subscribed (Azure: iot-hub-mqtt-support, "Receive desired properties update
// notifications"). What it misses while away it must ask for. Errors are of
// class usage and wrap a [Refusal].
func (h *Hub) PatchDesired(deviceID string, patch []byte) (hub.Twin, error) {
	return h.WriteTwin(deviceID, TwinChange{Desired: patch})
}

// WriteTwin changes desired properties and tags, both or neither. The device is
// told of desired properties in the form in which they were written, as
// [Hub.PatchDesired] says. Errors are of class usage and wrap a [Refusal].
func (h *Hub) WriteTwin(deviceID string, change TwinChange) (hub.Twin, error) {
	refused := func(why error) (hub.Twin, error) {
		return hub.Twin{}, record.NewFailure(record.Usage, "write the twin of", deviceID, why)
	}
	if _, known := h.Lookup(deviceID); !known {
		return refused(notRegistered(deviceID))
	}
	if change.Replace {
		change.Desired, change.Tags = orEmpty(change.Desired), orEmpty(change.Tags)
	}
	h.twins.mu.Lock()
	defer h.twins.mu.Unlock()
	t := h.twins.get(deviceID)
	from, next, told, now := t.desired, t.desired, []byte(nil), time.Now()
	if change.First {
		from.version, now = 0, time.Time{}
	}
	tags := t.tags
	var err error
	if change.Tags != nil {
		if tags, err = patchedTags(t.tags, change.Tags, change.Replace); err != nil {
			return refused(err)
		}
	}
	if change.Desired != nil {
		if next, told, err = from.patched(change.Desired, change.Replace, now); err != nil {
			return refused(err)
		}
	}
	t.desired, t.tags = next, tags
	if !change.First {
		t.version++
		t.written++
	}
	if change.Desired != nil {
		h.tellDesired(deviceID, next.version, told)
	}
	return t.view(), nil
}

func orEmpty(part []byte) []byte {
	if part == nil {
		return []byte("{}")
	}
	return part
}

// report merges a device's own patch into its reported properties.
func (t *twins) report(id string, patch []byte) (version int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.get(id)
	next, _, err := own.reported.patched(patch, false, time.Now())
	if err != nil {
		return 0, err
	}
	own.reported = next
	own.version++
	return next.version, nil
}

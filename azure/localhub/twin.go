package localhub

import (
	"encoding/json"
	"sync"

	"hilrig/record"
)

// Twin is a device's twin as the service sees it.
type Twin struct {
	Desired, Reported               json.RawMessage // objects, each with its $version
	DesiredVersion, ReportedVersion int             // from 1, one more with each patch
	Version                         int             // of the whole: one more with each patch of either
}

// twins are the twins of a hub; a device has one from its first use on, and it
// outlives every session.
type twins struct {
	mu sync.Mutex // held while a patch is pushed: pushes are in the order of versions
	of map[string]*twin
}

type twin struct {
	desired, reported section
	version           int
}

func newTwins() *twins { return &twins{of: map[string]*twin{}} }

// get is called with the lock held.
func (t *twins) get(id string) *twin {
	if t.of[id] == nil {
		t.of[id] = &twin{desired: section{version: 1}, reported: section{version: 1}, version: 1}
	}
	return t.of[id]
}

func (t *twins) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, id)
}

func (t *twin) view() Twin {
	return Twin{
		Desired: t.desired.json(), Reported: t.reported.json(),
		DesiredVersion: t.desired.version, ReportedVersion: t.reported.version, Version: t.version,
	}
}

// Twin is a registered device's twin.
func (h *Hub) Twin(deviceID string) (Twin, bool) {
	if _, known := h.Lookup(deviceID); !known {
		return Twin{}, false
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
func (h *Hub) PatchDesired(deviceID string, patch []byte) (Twin, error) {
	if _, known := h.Lookup(deviceID); !known {
		return Twin{}, record.NewFailure(record.Usage, "patch the twin of", deviceID, notRegistered())
	}
	h.twins.mu.Lock()
	defer h.twins.mu.Unlock()
	t := h.twins.get(deviceID)
	next, told, err := t.desired.patched(patch)
	if err != nil {
		return Twin{}, record.NewFailure(record.Usage, "patch the twin of", deviceID, err)
	}
	t.desired = next
	t.version++
	h.tellDesired(deviceID, next.version, told)
	return t.view(), nil
}

// report merges a device's own patch into its reported properties.
func (t *twins) report(id string, patch []byte) (version int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.get(id)
	next, _, err := own.reported.patched(patch)
	if err != nil {
		return 0, err
	}
	own.reported = next
	own.version++
	return next.version, nil
}

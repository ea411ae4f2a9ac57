package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hilrig/azure/iothub/registry"
	"hilrig/record"
)

// A device's life at the local registry: made, read, disabled, enabled,
// removed, each change of the version that was read.
func TestLifeOfADevice(t *testing.T) {
	l := startLocal(t)
	ctx := t.Context()
	made, err := l.Create(ctx, registry.Device{ID: "d", PrimaryThumbprint: printA, SecondaryThumbprint: printB, StatusReason: "hilrig lab 7 2030-01-01T00:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	if !made.StatusUpdated.IsZero() || made.ETag == "" || made.GenerationID == "" || made.Status != registry.Enabled || made.AuthenticationType != registry.SelfSigned ||
		made.PrimaryThumbprint != printA || made.SecondaryThumbprint != printB || made.ConnectionState != "Disconnected" {
		t.Errorf("made %+v", made)
	}
	if _, err := l.Create(ctx, registry.Device{ID: "d", PrimaryThumbprint: printA}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("made again: %v", err)
	}
	off, err := l.Update(ctx, with(made, registry.Disabled, "hilrig holds it off"))
	if err != nil || off.Status != registry.Disabled || off.StatusReason != "hilrig holds it off" || off.ETag == made.ETag || off.PrimaryThumbprint != printA {
		t.Errorf("disabled: %+v, %v", off, err)
	}
	if d, known := l.hub.Lookup("d"); !known || !d.Disabled {
		t.Errorf("the hub has %+v", d)
	}
	if _, err := l.Update(ctx, with(made, registry.Enabled, "")); !errors.Is(err, registry.ErrPrecondition) {
		t.Errorf("an old version: %v", err)
	}
	on, err := l.Update(ctx, with(off, registry.Enabled, made.StatusReason))
	if err != nil || on.Status != registry.Enabled || on.GenerationID != made.GenerationID {
		t.Errorf("enabled: %+v, %v", on, err)
	}
	on.PrimaryThumbprint = printB
	if on, err = l.Update(ctx, on); err != nil || on.PrimaryThumbprint != printB {
		t.Errorf("changed: %+v, %v", on, err)
	}
	if s, err := l.Statistics(ctx); err != nil || s != (registry.Statistics{Total: 1, Enabled: 1}) {
		t.Errorf("statistics: %+v, %v", s, err)
	}
	if err := l.Delete(ctx, "d", made.ETag); !errors.Is(err, registry.ErrPrecondition) {
		t.Errorf("removed by an old version: %v", err)
	}
	if err := l.Delete(ctx, "d", on.ETag); err != nil {
		t.Error(err)
	}
	if _, err := l.Get(ctx, "d"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("read when it is gone: %v", err)
	}
	if err := l.Delete(ctx, "d", registry.AnyETag); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

// with is a device as it was read, enabled or disabled for a reason.
func with(d registry.Device, status, reason string) registry.Device {
	d.Status, d.StatusReason = status, reason
	return d
}

func TestTwinAndQuery(t *testing.T) {
	l := startLocal(t)
	ctx := t.Context()
	for i := range 101 { // more than a page
		if _, err := l.Create(ctx, registry.Device{ID: fmt.Sprintf("d%03d", i), PrimaryThumbprint: printA}); err != nil {
			t.Fatal(err)
		}
	}
	twin, err := l.Twin(ctx, "d000")
	if err != nil || twin.Version != 2 || twin.ETag == "" || !strings.Contains(string(twin.Desired), "$metadata") {
		t.Fatalf("%+v, %v", twin, err)
	}
	changed, err := l.PatchTwin(ctx, "d000", twin.ETag, registry.TwinPatch{Desired: []byte(`{"a":1}`), Tags: []byte(`{"site":"lab"}`)})
	if err != nil || !strings.Contains(string(changed.Desired), `"a":1`) || string(changed.Tags) != `{"site":"lab"}` || changed.Version != 3 {
		t.Errorf("%+v, %v", changed, err)
	}
	if _, err := l.PatchTwin(ctx, "d000", twin.ETag, registry.TwinPatch{Desired: []byte(`{"a":2}`)}); !errors.Is(err, registry.ErrPrecondition) {
		t.Errorf("an old version: %v", err)
	}
	found, err := l.Query(ctx, "SELECT * FROM devices")
	if err != nil || len(found) != 101 || found[100].DeviceID != "d100" {
		t.Errorf("%d found, %v", len(found), err)
	}
	if _, err := l.Query(ctx, "SELECT nonsense"); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("nonsense: %v", err)
	}
	if _, _, err := l.Invoke(ctx, "d000", "m", nil, 0); !errors.Is(err, registry.ErrOffline) {
		t.Errorf("a method of a device that is not there: %v", err)
	}
}

// What changes something says which version.
func TestVersionIsNeeded(t *testing.T) {
	l := startLocal(t)
	ctx := t.Context()
	_, update := l.Update(ctx, registry.Device{ID: "d"})
	_, patch := l.PatchTwin(ctx, "d", "", registry.TwinPatch{})
	for _, err := range []error{update, patch, l.Delete(ctx, "d", "")} {
		if record.ClassOf(err) != record.Harness {
			t.Errorf("got %v", err)
		}
	}
}

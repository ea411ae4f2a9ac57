package iothub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/devicebound"
	"hilrig/azure/iothub/registry"
	"hilrig/record"
)

// serviceWithin bounds what has no context of its own.
const serviceWithin = 15 * time.Second

// service is what speaks to the device, where the registry does.
func (r registering) service() (Service, error) {
	if s, can := r.config.Registry.(Service); can {
		return s, nil
	}
	return nil, hub.Lacking{Letter: hub.Speaks}
}

// basicTier is why a hub that could speak to devices does not.
const basicTier = "in the basic tier a hub does not speak to devices"

// inTier tells what a hub's tier does not have from what went wrong.
func inTier(err error) error {
	if errors.Is(err, registry.ErrTier) || errors.Is(err, devicebound.ErrTier) {
		return hub.Lacking{Letter: hub.Speaks, Why: basicTier}
	}
	return err
}

// PatchDesired changes the twin's desired properties.
func (r registering) PatchDesired(id string, patch []byte) (hub.Twin, error) {
	s, err := r.service()
	if err != nil {
		return hub.Twin{}, err
	}
	ctx, cancel := context.WithTimeoutCause(r.running, serviceWithin, fmt.Errorf("no answer within %s", serviceWithin))
	defer cancel()
	t, err := s.PatchTwin(ctx, id, registry.AnyETag, registry.TwinPatch{Desired: patch})
	if err != nil {
		return hub.Twin{}, inTier(err)
	}
	go r.awaitReported(s, id, versionOf(t.Reported))
	return hub.Twin{Desired: t.Desired, Reported: t.Reported, DesiredVersion: versionOf(t.Desired), ReportedVersion: versionOf(t.Reported), Version: t.Version}, nil
}

const (
	reportedWithin = time.Minute
	reportedPause  = 2 * time.Second // between looks: the registry counts them
)

// awaitReported looks at the twin until the device has changed it: no event
// comes of that without a route.
func (r registering) awaitReported(s Service, id string, before int) {
	ctx, cancel := context.WithTimeout(r.running, reportedWithin)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reportedPause):
		}
		t, err := s.Twin(ctx, id)
		if err != nil {
			r.cloud.log.Debug("the twin is not read", "device", id, "error", err)
			continue
		}
		if now := versionOf(t.Reported); now > before {
			x := hub.TwinExchange{Op: hub.TwinReported, Status: 204, Version: now, Payload: t.Reported}
			r.events.Add(hub.Event{Kind: hub.KindTwin, DeviceID: id, Text: x.String(), Twin: &x})
			return
		}
	}
}

// versionOf is the $version of a section of a twin.
func versionOf(section json.RawMessage) int {
	var v struct {
		Version int `json:"$version"`
	}
	_ = json.Unmarshal(section, &v) // a section without one was never written
	return v.Version
}

// Invoke calls a direct method.
func (r registering) Invoke(ctx context.Context, id, method string, payload []byte, within time.Duration) (int, []byte, error) {
	s, err := r.service()
	if err != nil {
		return 0, nil, err
	}
	status, body, err := s.Invoke(ctx, id, method, payload, within)
	if errors.Is(err, registry.ErrOffline) || errors.Is(err, registry.ErrNoAnswer) {
		err = record.NewFailure(record.ClassDevice, "call method "+method+" of", id, err)
	}
	return status, body, inTier(err)
}

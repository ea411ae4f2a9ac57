package registryapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"hilrig/azure/localhub"
)

const maxBulk = 100 // devices of one request (REST: "Bulk Registry")

// purge is DELETE /devices/{id}/commands: what waits for the device is dropped.
func (s *Server) purge(w http.ResponseWriter, _ *http.Request, id string) error {
	if _, known := s.config.Hub.Lookup(id); !known {
		return noDevice(id)
	}
	return answered(w, http.StatusOK, "", struct {
		Purged int     `json:"totalMessagesPurged"`
		ID     string  `json:"deviceId"`
		Module *string `json:"moduleId"`
	}{s.config.Hub.Purge(id), id, nil})
}

// statistics is GET /statistics/devices and /statistics/service.
func (s *Server) statistics(w http.ResponseWriter, _ *http.Request, of string) error {
	total, off, connected := 0, 0, 0
	for _, d := range s.config.Hub.Devices() {
		total++
		if d.Disabled {
			off++
		}
		if s.config.Hub.Connected(d.ID) {
			connected++
		}
	}
	if of == "service" {
		return answered(w, http.StatusOK, "", map[string]int{"connectedDeviceCount": connected})
	}
	return answered(w, http.StatusOK, "", struct {
		Total    int `json:"totalDeviceCount"`
		Enabled  int `json:"enabledDeviceCount"`
		Disabled int `json:"disabledDeviceCount"`
	}{total, total - off, off})
}

// bulkDevice is one of POST /devices.
type bulkDevice struct {
	ID           string          `json:"id"`
	Module       string          `json:"moduleId"`
	ETag         string          `json:"eTag"`
	TwinETag     string          `json:"twinETag"`
	Mode         string          `json:"importMode"`
	Status       string          `json:"status"`
	StatusReason *string         `json:"statusReason"`
	Auth         authentication  `json:"authentication"`
	Tags         json.RawMessage `json:"tags"`
	Properties   properties      `json:"properties"`
}

type bulkError struct {
	ID     string `json:"deviceId"`
	Code   int    `json:"errorCode"`
	Status string `json:"errorStatus"`
}

// bulk is POST /devices: each device by its own import mode; one that is
// refused does not hinder the others.
func (s *Server) bulk(w http.ResponseWriter, r *http.Request, _ string) error {
	var devices []bulkDevice
	if err := read(r, &devices); err != nil {
		return err
	}
	if len(devices) == 0 || len(devices) > maxBulk {
		return badRequest("1 to %d devices at a time, these are %d", maxBulk, len(devices))
	}
	refused := []bulkError{}
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	for _, d := range devices {
		if err := s.bulkOne(d); err != nil {
			r := &localhub.Refusal{Code: 500001, Name: "ServerError"}
			_ = errors.As(err, &r) // else it stays the hub's own
			refused = append(refused, bulkError{d.ID, r.Code, r.Name + ": " + r.Text})
		}
	}
	status := http.StatusOK
	if len(refused) > 0 {
		status = http.StatusBadRequest
	}
	return answered(w, status, "", struct {
		OK       bool        `json:"isSuccessful"`
		Errors   []bulkError `json:"errors"`
		Warnings []string    `json:"warnings"`
	}{len(refused) == 0, refused, []string{}})
}

// bulkOne does what a device's import mode says. The lock of the metadata is held.
func (s *Server) bulkOne(d bulkDevice) error {
	old := s.metadata.entryOf(d.ID)
	match := func(want, is string) error {
		if want != is {
			return changed()
		}
		return nil
	}
	if d.Module != "" {
		return badRequest("this hub has no modules")
	}
	if old == nil && d.Mode != "create" && d.Mode != "createOrUpdate" {
		return noDevice(d.ID)
	}
	switch d.Mode {
	case "create":
		if old != nil {
			return exists(d.ID)
		}
		return s.bulkPut(nil, d)
	case "createOrUpdate", "update":
		return s.bulkPut(old, d)
	case "updateIfMatchETag":
		if err := match(d.ETag, old.etag()); err != nil {
			return err
		}
		return s.bulkPut(old, d)
	case "updateTwin", "updateTwinIfMatchETag":
		if v, _ := s.twinOf(d.ID); d.Mode != "updateTwin" && d.TwinETag != v.ETag {
			return changed()
		}
		return s.bulkTwin(d, false)
	case "delete", "deleteIfMatchETag":
		if d.Mode != "delete" && d.ETag != old.etag() {
			return changed()
		}
		s.metadata.remove(d.ID)
		s.config.Hub.Drop(d.ID)
		return nil
	}
	return badRequest("importMode %q is none that this hub knows", d.Mode)
}

func (s *Server) bulkPut(old *entry, d bulkDevice) error {
	want, err := identity{DeviceID: d.ID, Status: d.Status, StatusReason: d.StatusReason, Authentication: d.Auth}.want(d.ID)
	switch {
	case err != nil:
		return err
	case old == nil && len(s.config.Hub.Devices()) >= maxDevices:
		return tooManyDevices()
	}
	if s.metadata.put(old, want); want.disabled {
		s.config.Hub.Drop(d.ID)
	}
	return s.bulkTwin(d, old == nil)
}

// bulkTwin writes what a bulk says of a twin, which is new with its device.
func (s *Server) bulkTwin(d bulkDevice, first bool) error {
	change := localhub.TwinChange{Desired: present(d.Properties.Desired), Tags: present(d.Tags), First: first}
	if change.Desired == nil && change.Tags == nil {
		return nil
	}
	_, err := s.config.Hub.WriteTwin(d.ID, change)
	return err
}

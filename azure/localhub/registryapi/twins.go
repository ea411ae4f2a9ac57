package registryapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// twinView is a twin as IoT Hub shows it (REST: Twin, without its metadata).
type twinView struct {
	DeviceID     string       `json:"deviceId"`
	ETag         string       `json:"etag"`
	DeviceETag   string       `json:"deviceEtag"`
	Status       string       `json:"status"`
	StatusReason *string      `json:"statusReason,omitempty"`
	StatusTime   string       `json:"statusUpdateTime"`
	Connection   string       `json:"connectionState"`
	ActivityTime string       `json:"lastActivityTime"`
	Pending      int          `json:"cloudToDeviceMessageCount"`
	AuthType     string       `json:"authenticationType"`
	Thumbprint   thumbprint   `json:"x509Thumbprint"`
	ModelID      string       `json:"modelId"`
	Version      int          `json:"version"`
	Properties   properties   `json:"properties"`
	Capabilities capabilities `json:"capabilities"`
}

type properties struct {
	Desired  json.RawMessage `json:"desired"`
	Reported json.RawMessage `json:"reported"`
}

// twinOf is a device's twin. The ledger's lock is held. The ETag is of what the
// service writes: a report of the device does not change it.
func (s *Server) twinOf(id string) (twinView, bool) {
	e := s.ledger.look(id)
	t, known := s.config.Hub.Twin(id)
	if e == nil || !known {
		return twinView{}, false
	}
	return twinView{
		DeviceID: id, ETag: etagOf(uint64(t.Written)), DeviceETag: e.etag(), Status: statusOf(e), StatusReason: orNull(e.reason),
		StatusTime: e.statusChanged.UTC().Format(time.RFC3339Nano), Connection: s.connection(id), ActivityTime: never,
		Pending: s.config.Hub.Pending(id), AuthType: selfSigned, Thumbprint: thumbprint{orNull(e.primary), orNull(e.secondary)},
		Version: t.Version, Properties: properties{t.DesiredFull, t.ReportedFull},
	}, true
}

// twin is GET /twins/{id}.
func (s *Server) twin(w http.ResponseWriter, _ *http.Request, id string) error {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	v, known := s.twinOf(id)
	if !known {
		return noDevice(id)
	}
	return answered(w, http.StatusOK, v.ETag, v)
}

// patchTwin is PATCH /twins/{id}: desired properties are merged, and the device
// is told.
func (s *Server) patchTwin(w http.ResponseWriter, r *http.Request, id string) error {
	var patch struct {
		Tags       json.RawMessage `json:"tags"`
		Properties properties      `json:"properties"`
	}
	if err := read(r, &patch); err != nil {
		return err
	}
	if tags := string(bytes.TrimSpace(patch.Tags)); tags != "" && tags != "{}" && tags != "null" {
		return badRequest("this hub keeps no tags")
	}
	s.ledger.mu.Lock() // held until the patch is in: the ETag is still the one that was matched
	defer s.ledger.mu.Unlock()
	v, known := s.twinOf(id)
	if !known {
		return noDevice(id)
	}
	if err := matches(r, v.ETag); err != nil {
		return err
	}
	if len(patch.Properties.Desired) > 0 {
		if _, err := s.config.Hub.PatchDesired(id, patch.Properties.Desired); err != nil {
			return err
		}
		if v, known = s.twinOf(id); !known {
			return noDevice(id)
		}
	}
	return answered(w, http.StatusOK, v.ETag, v)
}

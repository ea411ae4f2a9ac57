package registryapi

import (
	"bytes"
	"encoding/json"
	"net/http"

	"hilrig/azure/localhub"
)

// twinView is a twin as IoT Hub shows it (REST: Twin, without its metadata).
type twinView struct {
	DeviceID     string          `json:"deviceId"`
	ETag         string          `json:"etag"`
	DeviceETag   string          `json:"deviceEtag"`
	Status       string          `json:"status"`
	StatusReason *string         `json:"statusReason,omitempty"`
	StatusTime   string          `json:"statusUpdateTime"`
	Connection   string          `json:"connectionState"`
	ActivityTime string          `json:"lastActivityTime"`
	Pending      int             `json:"cloudToDeviceMessageCount"`
	AuthType     string          `json:"authenticationType"`
	Thumbprint   thumbprint      `json:"x509Thumbprint"`
	ModelID      *string         `json:"modelId,omitempty"`
	Version      int             `json:"version"`
	Tags         json.RawMessage `json:"tags,omitempty"`
	Properties   properties      `json:"properties"`
	Capabilities capabilities    `json:"capabilities"`
}

type properties struct {
	Desired  json.RawMessage `json:"desired"`
	Reported json.RawMessage `json:"reported"`
}

// twinOf is a device's twin. The lock of the metadata is held. The ETag is of what the
// service writes: a report of the device does not change it.
func (s *Server) twinOf(id string) (twinView, bool) {
	e := s.metadata.entryOf(id)
	t, known := s.config.Hub.Twin(id)
	if e == nil || !known {
		return twinView{}, false
	}
	return twinView{
		DeviceID: id, ETag: etagOf(uint64(t.Written)), DeviceETag: e.etag(), Status: statusOf(e), StatusReason: orNull(e.reason),
		StatusTime: written(e.statusChanged), Connection: s.connection(id), ActivityTime: never,
		Pending: s.config.Hub.Pending(id), AuthType: selfSigned, Thumbprint: thumbprint{orNull(e.primary), orNull(e.secondary)},
		Version: t.Version, ModelID: &t.ModelID, Tags: t.Tags, Properties: properties{t.DesiredFull, t.ReportedFull},
	}, true
}

// twin is GET /twins/{id}.
func (s *Server) twin(w http.ResponseWriter, r *http.Request, id string) error {
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	v, known := s.twinOf(id)
	if !known {
		return noDevice(id)
	}
	return answered(w, http.StatusOK, "", v.of(r))
}

// modelSince is the api-version from which on a twin shows its model.
const modelSince = "2020-09-30"

// of is the view as the request's api-version has it. A twin has its ETag in
// the body and in no header, as recorded.
func (v twinView) of(r *http.Request) twinView {
	if r.URL.Query().Get("api-version") < modelSince {
		v.ModelID = nil
	}
	return v
}

// replaceTwin is PUT /twins/{id}: desired properties and tags are replaced.
func (s *Server) replaceTwin(w http.ResponseWriter, r *http.Request, id string) error {
	return s.writeTwin(w, r, id, true)
}

// patchTwin is PATCH /twins/{id}: desired properties and tags are merged, and
// the device is told. What is read only counts for nothing: a whole twin may be
// sent back.
func (s *Server) patchTwin(w http.ResponseWriter, r *http.Request, id string) error {
	return s.writeTwin(w, r, id, false)
}

func (s *Server) writeTwin(w http.ResponseWriter, r *http.Request, id string, replace bool) error {
	var patch struct {
		Tags       json.RawMessage `json:"tags"`
		Properties properties      `json:"properties"`
	}
	if err := read(r, &patch); err != nil {
		return err
	}
	s.metadata.mu.Lock() // held until the patch is in: the ETag is still the one that was matched
	defer s.metadata.mu.Unlock()
	v, known := s.twinOf(id)
	if !known {
		return noDevice(id)
	}
	if err := matches(r, v.ETag); err != nil {
		return err
	}
	change := localhub.TwinChange{Desired: present(patch.Properties.Desired), Tags: present(patch.Tags), Replace: replace}
	if replace || change.Desired != nil || change.Tags != nil {
		if _, err := s.config.Hub.WriteTwin(id, change); err != nil {
			return err
		}
		if v, known = s.twinOf(id); !known {
			return noDevice(id)
		}
	}
	return answered(w, http.StatusOK, "", v.of(r))
}

// present is a part that was sent; null is none.
func present(part json.RawMessage) []byte {
	if string(bytes.TrimSpace(part)) == "null" {
		return nil
	}
	return part
}

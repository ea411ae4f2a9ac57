package registryapi

import (
	"net/http"
	"strconv"
)

const maxList = 1000 // devices of a list, and how many where nobody says (REST: Devices, "Get Devices")

// get is GET /devices/{id}.
func (s *Server) get(w http.ResponseWriter, _ *http.Request, id string) error {
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	e := s.metadata.entryOf(id)
	if e == nil {
		return noDevice(id)
	}
	return answered(w, http.StatusOK, e.etag(), s.identity(e))
}

// put is PUT /devices/{id}: without If-Match it makes a device, with it it
// changes one. A device that is disabled loses its connection, says a Microsoft
// engineer (Azure/azure-iot-sdk-csharp#42).
func (s *Server) put(w http.ResponseWriter, r *http.Request, id string) error {
	var d identity
	if err := read(r, &d); err != nil {
		return err
	}
	want, err := d.want(id)
	if err != nil {
		return err
	}
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	old := s.metadata.entryOf(id)
	update := names(r)
	switch {
	case old == nil && update:
		return noDevice(id)
	case old == nil && len(s.config.Hub.Devices()) >= maxDevices:
		return tooManyDevices()
	case old != nil && !update:
		return exists(id)
	case old != nil:
		if err := matches(r, old.etag()); err != nil {
			return err
		}
	}
	e := s.metadata.put(old, want)
	if e.device.Disabled {
		s.config.Hub.Drop(id)
	}
	shown := s.identity(e)
	if old == nil { // as recorded: without a zone in the answer that makes it
		shown.StatusTime, shown.ConnectionTime, shown.ActivityTime = neverBare, neverBare, neverBare
	}
	return answered(w, http.StatusOK, e.etag(), shown)
}

// remove is DELETE /devices/{id}. The device's connection ends with it, as for
// one that is disabled.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, id string) error {
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	e := s.metadata.entryOf(id)
	if e == nil {
		return noDevice(id)
	}
	if err := matches(r, e.etag()); err != nil {
		return err
	}
	s.metadata.remove(id)
	s.config.Hub.Drop(id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// list is GET /devices?top=: a number outside 1 to 1000 counts as 1000, says
// the reference.
func (s *Server) list(w http.ResponseWriter, r *http.Request, _ string) error {
	top := maxList
	if text := r.URL.Query().Get("top"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return badRequest("top is no number")
		}
		if n >= 1 && n <= maxList {
			top = n
		}
	}
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	devices := []identity{}
	for _, d := range s.config.Hub.Devices() {
		if len(devices) == top {
			break
		}
		if e := s.metadata.entryOf(d.ID); e != nil {
			devices = append(devices, s.identity(e))
		}
	}
	return answered(w, http.StatusOK, "", devices)
}

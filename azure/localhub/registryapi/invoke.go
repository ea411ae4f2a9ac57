package registryapi

import (
	"encoding/json"
	"net/http"
	"time"
)

// Bounds of the time that a device has for an answer (Azure:
// iot-hub-devguide-direct-methods, "Method invocation").
const (
	leastResponse   = 5 * time.Second
	mostResponse    = 300 * time.Second
	defaultResponse = 30 * time.Second
)

// invoke is POST /twins/{id}/methods.
func (s *Server) invoke(w http.ResponseWriter, r *http.Request, id string) error {
	var call struct {
		Method   string          `json:"methodName"`
		Response *int            `json:"responseTimeoutInSeconds"`
		Connect  int             `json:"connectTimeoutInSeconds"`
		Payload  json.RawMessage `json:"payload"`
	}
	if err := read(r, &call); err != nil {
		return err
	}
	within := defaultResponse
	if call.Response != nil {
		if least, most := int(leastResponse/time.Second), int(mostResponse/time.Second); *call.Response < least || *call.Response > most {
			return badRequest("responseTimeoutInSeconds is from %d to %d", least, most)
		}
		within = time.Duration(*call.Response) * time.Second
	}
	if most := int(mostResponse / time.Second); call.Connect < 0 || call.Connect > most {
		return badRequest("connectTimeoutInSeconds is from 0 to %d", most)
	}
	connect := time.Duration(call.Connect) * time.Second
	// The answer may take longer than other requests' do.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(connect + within + requestWithin)); err != nil {
		s.config.Log.Debug("device registry: no time limit of its own for a method", "error", err)
	}
	if connect > 0 {
		s.config.Hub.AwaitMethods(r.Context(), id, connect) // Invoke says who is not there
	}
	status, body, err := s.config.Hub.Invoke(r.Context(), id, call.Method, call.Payload, within)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		body = []byte("null")
	}
	if !json.Valid(body) {
		return badAnswer()
	}
	return answered(w, http.StatusOK, "", struct {
		Status  int             `json:"status"`
		Payload json.RawMessage `json:"payload"`
	}{status, body})
}

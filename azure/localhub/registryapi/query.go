package registryapi

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

const maxPage = 100 // items of a page, and how many where nobody says (Azure: iot-hub-devguide-query-language)

// selection is what of the query language this hub speaks: every device, or
// those of which one property has one value.
var selection = regexp.MustCompile(`(?i)^\s*SELECT\s+\*\s+FROM\s+devices(?:\s+WHERE\s+(deviceId|status|connectionState)\s*=\s*(?:'([^']*)'|"([^"]*)"))?\s*;?\s*$`)

// query is POST /devices/query, a page at a time. The token for the next page
// is the last id of this one: devices that come and go meanwhile shift nothing.
// IoT Hub's queries lag behind its registry; ours do where [Config.QueryDelay]
// says so (recorded: [] right after the PUT, and the device 6 s later;
// azure-sdk-for-net, QueryClient_GetAllDevicesTwinsWithTag.json).
func (s *Server) query(w http.ResponseWriter, r *http.Request, _ string) error {
	var asked struct {
		Query string `json:"query"`
	}
	if err := read(r, &asked); err != nil {
		return err
	}
	m := selection.FindStringSubmatch(asked.Query)
	if m == nil {
		return badRequest("this hub knows SELECT * FROM devices, and WHERE deviceId, status or connectionState = '…'")
	}
	size, after, err := page(r)
	if err != nil {
		return err
	}
	s.metadata.mu.Lock()
	defer s.metadata.mu.Unlock()
	found := []twinView{}
	more := false
	for _, d := range s.config.Hub.Devices() {
		v, known := s.twinOf(d.ID)
		if d.ID <= after || !known || s.metadata.madeWithin(d.ID, s.config.QueryDelay) || !v.has(strings.ToLower(m[1]), m[2]+m[3]) {
			continue
		}
		if more = len(found) == size; more {
			break
		}
		found = append(found, v.of(r))
	}
	w.Header().Set("x-ms-item-type", "Twin")
	if more {
		w.Header().Set("x-ms-continuation", base64.URLEncoding.EncodeToString([]byte(found[size-1].DeviceID)))
	}
	return answered(w, http.StatusOK, "", found)
}

func (v twinView) has(property, value string) bool {
	switch property {
	case "deviceid":
		return v.DeviceID == value
	case "status":
		return v.Status == value
	case "connectionstate":
		return v.Connection == value
	}
	return true
}

// page reads how many items are wanted, and after which id.
func page(r *http.Request) (size int, after string, err error) {
	size = maxPage
	if text := r.Header.Get("x-ms-max-item-count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, "", badRequest("x-ms-max-item-count is no number from 1")
		}
		size = min(n, maxPage)
	}
	last, err := base64.URLEncoding.DecodeString(r.Header.Get("x-ms-continuation"))
	if err != nil {
		return 0, "", badRequest("x-ms-continuation is not one of this hub's")
	}
	return size, string(last), nil
}

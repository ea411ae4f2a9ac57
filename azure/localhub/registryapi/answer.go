package registryapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hilrig/azure/localhub"
)

// The refusals of the registry, with the codes of Microsoft's service SDK for
// .NET (ErrorCode.cs). The hub's own come as [localhub.Refusal] too.

func badRequest(format string, args ...any) error {
	return &localhub.Refusal{Status: http.StatusBadRequest, Code: 400004, Name: "ArgumentInvalid", Text: fmt.Sprintf(format, args...)}
}

func noVersion(text string) error {
	return &localhub.Refusal{Status: http.StatusBadRequest, Code: 400001, Name: "InvalidProtocolVersion", Text: text}
}

func unauthorized(why string) error {
	return &localhub.Refusal{Status: http.StatusUnauthorized, Code: 401002, Name: "IotHubUnauthorizedAccess", Text: why}
}

func tooManyDevices() error {
	return &localhub.Refusal{Status: http.StatusForbidden, Code: 413002, Name: "TooManyDevices", Text: fmt.Sprintf("the registry holds %d devices", maxDevices)}
}

func noDevice(id string) error {
	return &localhub.Refusal{Status: http.StatusNotFound, Code: 404001, Name: "DeviceNotFound", Text: "no device " + id + " is registered", Said: id}
}

func noResource(path string) error {
	return &localhub.Refusal{Status: http.StatusNotFound, Code: 404000, Name: "NotFound", Text: "this hub has no " + path}
}

func notAllowed(method string) error {
	return &localhub.Refusal{Status: http.StatusMethodNotAllowed, Code: 405000, Name: "MethodNotAllowed", Text: "not by " + method}
}

func exists(id string) error {
	return &localhub.Refusal{Status: http.StatusConflict, Code: 409001, Name: "DeviceAlreadyExists", Text: "a device " + id + " is registered; If-Match changes it", Said: "A device with ID '" + id + "' is already registered."}
}

func changed() error {
	return &localhub.Refusal{Status: http.StatusPreconditionFailed, Code: 412001, Name: "PreconditionFailed", Text: "the ETag is not this one", Said: "PreconditionFailed"}
}

func tooLarge() error {
	return &localhub.Refusal{Status: http.StatusRequestEntityTooLarge, Code: 413001, Name: "MessageTooLarge", Text: fmt.Sprintf("a body has at most %d bytes", maxBody)}
}

func throttled() error {
	return &localhub.Refusal{Status: http.StatusTooManyRequests, Code: 429001, Name: "ThrottlingException", Text: fmt.Sprintf("%d requests are under way", maxInFlight)}
}

func badAnswer() error {
	return &localhub.Refusal{Status: http.StatusBadGateway, Code: 502101, Name: "BadDeviceResponse", Text: "the device answered with something that is not JSON"}
}

// requestID is the header that names a request, in the tracking id too.
const requestID = "x-ms-request-id"

// marked gives an answer the headers that every one of IoT Hub's has.
func marked(h http.Header) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h.Set(requestID, fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
	h.Set("Vary", "Origin")
	h.Set("Server", "Microsoft-HTTPAPI/2.0")
}

// answered writes JSON and remembers its status for the record.
func answered(w http.ResponseWriter, status int, etag string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if etag != "" {
		h.Set("ETag", quoted(etag))
	}
	w.WriteHeader(status)
	_, _ = w.Write(data) // a caller that went away has no answer to get
	return nil
}

// refuse writes an error as IoT Hub does: the name in a header, the body
// {"Message":"ErrorCode:NAME;text","ExceptionMessage":…}. Direct methods have
// their own form, in which Message is JSON within JSON with the number
// (Azure/azure-iot-sdk-node#971, MicrosoftDocs/azure-docs#14123).
func (s *Server) refuse(w http.ResponseWriter, err error, numbered bool) *localhub.Refusal {
	var r *localhub.Refusal
	if !errors.As(err, &r) {
		s.config.Log.Error("device registry", "error", err)
		r = &localhub.Refusal{Status: http.StatusInternalServerError, Code: 500001, Name: "ServerError", Text: "see the hub's log"}
	}
	now, id := s.config.Now().UTC(), strings.ReplaceAll(w.Header().Get(requestID), "-", "")+"-G:0"
	said := r.Text
	if r.Said != "" {
		said = r.Said
	}
	tracking := fmt.Sprintf("Tracking ID:%s-TimeStamp:%s", id, now.Format("01/02/2006 15:04:05"))
	if r.Status == http.StatusUnauthorized { // IoT Hub says no more; here a person may see why
		said, tracking = "Unauthorized", r.Text+"; "+tracking
		w.Header().Set("WWW-Authenticate", "SharedAccessSignature")
	}
	body := map[string]string{"Message": "ErrorCode:" + r.Name + ";" + said, "ExceptionMessage": tracking}
	if numbered {
		body = map[string]string{"Message": numberedMessage(r.Code, said, id, now), "ExceptionMessage": ""}
	}
	if r.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("iothub-errorcode", r.Name)
	_ = answered(w, r.Status, "", body)
	return r
}

func numberedMessage(code int, text, id string, now time.Time) string {
	data, _ := json.Marshal(struct {
		Code    int    `json:"errorCode"`
		ID      string `json:"trackingId"`
		Message string `json:"message"`
		At      string `json:"timestampUtc"`
	}{code, id, text, now.Format("2006-01-02T15:04:05.0000000Z")}) // strings and a number: it cannot fail
	return string(data)
}

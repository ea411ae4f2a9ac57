package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/record"
)

// Classes of an [Error].
var (
	ErrInvalid      = errors.New("the request is not understood")
	ErrUnauthorised = errors.New("the hub does not let us in")
	ErrForbidden    = errors.New("the rights do not suffice")
	ErrQuota        = errors.New("a quota is used up")
	ErrNotFound     = errors.New("there is no such device")
	ErrNoHub        = errors.New("there is no such hub")
	ErrTier         = errors.New("the hub's tier does not have it")
	ErrOffline      = errors.New("the device is not connected, or takes no methods")
	ErrNoAnswer     = errors.New("the device did not answer in time")
	ErrConflict     = errors.New("there is such a device already")
	ErrPrecondition = errors.New("it was changed since it was read")
	ErrThrottled    = errors.New("the hub throttles")
	ErrUnavailable  = errors.New("the hub is not available")
)

// Error is a refusal of the hub.
type Error struct {
	Status     int
	Code       string // IoT Hub's name of it; empty where it gave none
	Message    string
	TrackingID string        // for Microsoft's support
	RetryAfter time.Duration // that the hub asks for; zero: it does not
	Skew       time.Duration // how far this machine's clock is ahead of the hub's; negative: behind
	class      error
}

// Error names the class and what the hub said.
func (e *Error) Error() string {
	s := fmt.Sprintf("%v: %d", e.class, e.Status)
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			s += " " + part
		}
	}
	if e.TrackingID != "" {
		s += ", tracking id " + e.TrackingID
	}
	return s
}

// Unwrap is the class.
func (e *Error) Unwrap() error { return e.class }

// classes are by the names of IoT Hub (azure-iot-sdk-csharp, ErrorCode.cs) where
// the status does not say all.
var classes = map[string]error{
	"IotHubUnauthorized":                 ErrForbidden, // "Principal … is not authorized for GET on …": azure-iot-sdk-csharp#3344
	"IotHubNotFound":                     ErrNoHub,
	"IotHubQuotaExceeded":                ErrQuota,
	"TooManyDevices":                     ErrQuota,
	"DeviceMaximumQueueDepthExceeded":    ErrQuota,
	"DeviceNotOnline":                    ErrOffline,
	"OperationNotAvailableInCurrentTier": ErrTier, // MicrosoftDocs/azure-docs.de-de#559
	"DeviceMaximumActiveFileUploadLimit": ErrQuota,
	"ThrottleBacklogLimitExceeded":       ErrThrottled,
	"ThrottleBacklogTimeout":             ErrThrottled,
	"ThrottlingException":                ErrThrottled,
	"ThrottlingMaxActiveJobCount":        ErrThrottled,
}

// numbers are of direct methods, whose errors have no name.
var numbers = map[int]error{
	403002: ErrQuota,
	404103: ErrOffline,
	504101: ErrNoAnswer,
}

var statuses = map[int]error{
	http.StatusUnauthorized:       ErrUnauthorised,
	http.StatusForbidden:          ErrForbidden,
	http.StatusNotFound:           ErrNotFound,
	http.StatusConflict:           ErrConflict,
	http.StatusPreconditionFailed: ErrPrecondition,
	http.StatusTooManyRequests:    ErrThrottled,
	http.StatusProxyAuthRequired:  access.ErrProxy,
}

func classOf(status int, code string, number int) error {
	if class := classes[code]; class != nil {
		return class
	}
	if class := numbers[number]; class != nil {
		return class
	}
	if class := statuses[status]; class != nil {
		return class
	}
	switch {
	case status >= 500:
		return ErrUnavailable
	case status >= 400:
		return ErrInvalid
	}
	return access.ErrProxy
}

// errorOf reads a refusal: {"Message":"ErrorCode:NAME;text","ExceptionMessage":
// "Tracking ID:…"}, where direct methods have JSON with a number in Message.
func errorOf(resp *http.Response, body []byte, now time.Time) *Error {
	e := &Error{Status: resp.StatusCode, Code: resp.Header.Get("iothub-errorcode"), RetryAfter: retryAfter(resp.Header, now)}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		e.Skew = now.Sub(at).Round(time.Second)
	}
	var said struct{ Message, ExceptionMessage string }
	readable := json.Unmarshal(body, &said) == nil && said.Message != ""
	if !readable && e.Code == "" && e.Status < 500 && e.Status != http.StatusTooManyRequests {
		return strange(resp, errors.New("it does not have the form of one"))
	}
	name, text, named := strings.Cut(strings.TrimPrefix(said.Message, "ErrorCode:"), ";")
	var inner struct {
		Number   int    `json:"errorCode"`
		Tracking string `json:"trackingId"`
		Message  string `json:"message"`
	}
	switch {
	case json.Unmarshal([]byte(said.Message), &inner) == nil:
		e.Message, e.TrackingID = inner.Message, inner.Tracking
	case named:
		e.Message = text
		if e.Code == "" {
			e.Code = name
		}
	default:
		e.Message = said.Message
	}
	if e.TrackingID == "" {
		e.TrackingID = tracking(said.ExceptionMessage)
	}
	if e.TrackingID == "" {
		e.TrackingID = resp.Header.Get("x-ms-request-id")
	}
	e.class = classOf(e.Status, e.Code, inner.Number)
	return e
}

// tracking is what Microsoft's support asks for.
func tracking(exception string) string {
	_, id, found := strings.Cut(exception, "Tracking ID:")
	if !found {
		return ""
	}
	id, _, _ = strings.Cut(id, "-TimeStamp")
	return id
}

// strange is an answer of somebody in between.
func strange(resp *http.Response, why error) *Error {
	e := &Error{Status: resp.StatusCode, Message: why.Error(), class: access.ErrProxy}
	if by := resp.Header.Get("Server"); by != "" {
		e.Message += "; the server says it is " + strconv.Quote(by)
	}
	return e
}

func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Skewed is from when on a clock is worth a word: a token holds an hour.
const Skewed = 5 * time.Minute

// cures are what a person can do about a class.
var cures = map[error]string{
	ErrInvalid:      "",
	ErrUnauthorised: "is the key whole, of this hub, and not renewed since? Has its policy registry read, registry write and service connect? Does the hub take access by key, and from this network?",
	ErrForbidden:    "the policy needs registry read, registry write and service connect; by Entra the role IoT Hub Data Contributor on the hub",
	ErrQuota:        "wait until 00:00 UTC, when it begins anew, or give the hub another unit",
	ErrNotFound:     "is it registered at this hub, with this id? Ids are case-sensitive",
	ErrNoHub:        "is the host name right (Azure portal, IoT Hub, Overview)? Is the hub there still?",
	ErrTier:         "twins, methods and messages to devices need the free or a standard tier",
	ErrOffline:      "is the device connected, and has it subscribed to $iothub/methods/POST/#?",
	ErrNoAnswer:     "does the device answer at $iothub/methods/res/STATUS/?$rid=ID?",
	ErrConflict:     "take another id; adopt: true takes a device that somebody else made",
	ErrPrecondition: "somebody else changes it too: read it again",
	ErrThrottled:    "fewer rigs at once, or another unit for the hub",
	ErrUnavailable:  "try again; Azure status: https://azure.status.microsoft",
	access.ErrProxy: "a proxy or a captive portal answers in the hub's place: what does a browser on this machine show at https://HOST?",
}

func (c *Client) refused(r request, e *Error) error {
	cure := strings.ReplaceAll(cures[e.class], "HOST", c.host)
	switch {
	case e.Code == "TooManyDevices":
		cure = "the registry is full: remove devices"
	case e.RetryAfter > 0:
		cure = fmt.Sprintf("the hub asks to wait for %v; %s", e.RetryAfter.Round(time.Second), cure)
	case errors.Is(e, ErrUnauthorised) && e.Skew >= Skewed:
		cure = fmt.Sprintf("this machine's clock is %v ahead of the hub's: set it (timedatectl). If it is the key: %s", e.Skew, cure)
	case errors.Is(e, ErrUnauthorised) && e.Skew <= -Skewed:
		cure = fmt.Sprintf("this machine's clock is %v behind the hub's, tokens run out by it: set it (timedatectl). If it is the key: %s", -e.Skew, cure)
	}
	return record.NewFailure(record.RigCloud, r.step, r.subject+" at "+c.host, e).WithCure(cure)
}

// unanswered says why nothing came back.
func (c *Client) unanswered(t *tries, r request, err error) error {
	subject := r.subject + " at " + c.host
	if t.ctx.Err() != nil {
		err = context.Cause(t.ctx)
	}
	if t.ctx.Err() != nil && t.last != nil {
		return record.NewFailure(record.RigCloud, r.step, subject, fmt.Errorf("%w; before it: %w", err, t.last)).WithCure(cures[t.last.class])
	}
	var signIn *record.Failure
	if errors.As(err, &signIn) {
		return fmt.Errorf("%s %s: %w", r.step, subject, err)
	}
	cure, cause := access.Explain(c.host, err)
	if cause == nil {
		cause = err
	}
	return record.NewFailure(record.RigCloud, r.step, subject, cause).WithCure(cure)
}

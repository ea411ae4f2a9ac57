package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hilrig/record"
)

// Twin is a device's twin.
type Twin struct {
	DeviceID     string
	ETag         string // of what the service wrote, without quotes
	DeviceETag   string
	ModelID      string
	Status       string
	StatusReason string
	Connected    bool
	LastActivity time.Time
	Version      int
	Tags         json.RawMessage // an object, or nil
	Desired      json.RawMessage // with $metadata and $version
	Reported     json.RawMessage
}

// UnmarshalJSON reads a twin as the hub writes it.
func (t *Twin) UnmarshalJSON(text []byte) error {
	var w struct {
		DeviceID     string          `json:"deviceId"`
		ETag         string          `json:"etag"`
		DeviceETag   string          `json:"deviceEtag"`
		ModelID      string          `json:"modelId"`
		Status       string          `json:"status"`
		StatusReason string          `json:"statusReason"`
		Connection   string          `json:"connectionState"`
		LastActivity wireTime        `json:"lastActivityTime"`
		Version      int             `json:"version"`
		Tags         json.RawMessage `json:"tags"`
		Properties   struct {
			Desired  json.RawMessage `json:"desired"`
			Reported json.RawMessage `json:"reported"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*t = Twin{
		w.DeviceID, w.ETag, w.DeviceETag, w.ModelID, w.Status, w.StatusReason, w.Connection == "Connected", w.LastActivity.Time, w.Version,
		w.Tags, w.Properties.Desired, w.Properties.Reported,
	}
	return nil
}

// Twin reads a device's twin.
func (c *Client) Twin(ctx context.Context, id string) (Twin, error) {
	var t Twin
	_, err := c.do(ctx, request{step: "read", subject: "twin of " + id, method: http.MethodGet, path: []string{"twins", id}}, &t)
	return t, err
}

// TwinPatch is what is merged into a twin: null removes. Nil leaves a part as
// it is.
type TwinPatch struct {
	Tags    json.RawMessage
	Desired json.RawMessage
}

// PatchTwin changes a version of a twin, or [AnyETag].
func (c *Client) PatchTwin(ctx context.Context, id, etag string, p TwinPatch) (Twin, error) {
	subject := "twin of " + id
	if etag == "" {
		return Twin{}, record.NewFailure(record.Harness, "change", subject, errNoETag)
	}
	body := map[string]any{}
	if p.Tags != nil {
		body["tags"] = p.Tags
	}
	if p.Desired != nil {
		body["properties"] = map[string]any{"desired": p.Desired}
	}
	var t Twin
	_, err := c.do(ctx, request{step: "change", subject: subject, method: http.MethodPatch, path: []string{"twins", id}, etag: etag, body: body}, &t)
	return t, err
}

// Bounds of a direct method (Azure: iot-hub-devguide-direct-methods).
const (
	leastResponse = 5 * time.Second
	mostResponse  = 300 * time.Second
)

// Invoke calls a direct method once: the device has that long to answer, from 5
// s to 300. The payload is JSON or nil, and so is what the device answers. A
// device that is not there is [ErrOffline], one that does not answer
// [ErrNoAnswer].
func (c *Client) Invoke(ctx context.Context, id, method string, payload []byte, within time.Duration) (status int, body []byte, err error) {
	within = min(max(within, leastResponse), mostResponse)
	call := map[string]any{"methodName": method, "responseTimeoutInSeconds": int((within + time.Second - 1) / time.Second)}
	if payload != nil {
		call["payload"] = json.RawMessage(payload)
	}
	var answered struct {
		Status  int             `json:"status"`
		Payload json.RawMessage `json:"payload"`
	}
	_, err = c.do(ctx, request{
		step: "call", subject: fmt.Sprintf("method %q of %s", method, id), method: http.MethodPost, path: []string{"twins", id, "methods"},
		body: call, within: within + tryWithin, once: true,
	}, &answered)
	return answered.Status, answered.Payload, err
}

// maxFound is how many twins a query may find.
const maxFound = 10_000

// Query finds twins. What was registered seconds ago is not among them yet.
func (c *Client) Query(ctx context.Context, statement string) ([]Twin, error) {
	found := []Twin{}
	header := map[string]string{"x-ms-max-item-count": strconv.Itoa(100)}
	for {
		var page []Twin
		a, err := c.do(ctx, request{
			step: "query", subject: "twins", method: http.MethodPost, path: []string{"devices", "query"},
			header: header, body: map[string]string{"query": statement},
		}, &page)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		next := a.header.Get("x-ms-continuation")
		switch {
		case next == "":
			return found, nil
		case len(found) >= maxFound || next == header["x-ms-continuation"]:
			return nil, record.NewFailure(record.RigCloud, "query", "twins at "+c.host, errors.New("it finds more than "+strconv.Itoa(maxFound)))
		}
		header["x-ms-continuation"] = next
	}
}

package registry

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"hilrig/record"
)

// What a device may be.
const (
	Enabled, Disabled = "enabled", "disabled"
	SelfSigned        = "selfSigned" // X.509, by thumbprint
)

// Device is an entry of the registry. What is read of it besides these is kept,
// and sent back by what changes it.
type Device struct {
	ID                  string
	ETag                string // of this version, without quotes
	GenerationID        string // tells it from an earlier one of its id
	Status              string // [Enabled] or [Disabled]
	StatusReason        string // 128 characters at most
	StatusUpdated       time.Time
	ConnectionState     string // Connected or Disconnected
	ConnectionUpdated   time.Time
	LastActivity        time.Time
	Pending             int    // messages that wait for it
	AuthenticationType  string // [SelfSigned], certificateAuthority, sas
	PrimaryThumbprint   string
	SecondaryThumbprint string
	rest                func() map[string]json.RawMessage // as it came. Not the map: a key may be in it, and fmt looks into fields
}

// wireDevice is what of a device this client knows (REST: Devices, "Device").
type wireDevice struct {
	ID                string     `json:"deviceId"`
	ETag              string     `json:"etag"`
	GenerationID      string     `json:"generationId"`
	Status            string     `json:"status"`
	StatusReason      string     `json:"statusReason"`
	StatusUpdated     wireTime   `json:"statusUpdatedTime"`
	ConnectionState   string     `json:"connectionState"`
	ConnectionUpdated wireTime   `json:"connectionStateUpdatedTime"`
	LastActivity      wireTime   `json:"lastActivityTime"`
	Pending           int        `json:"cloudToDeviceMessageCount"`
	Authentication    wireAccess `json:"authentication"`
}

type wireAccess struct {
	Type       string         `json:"type"`
	Thumbprint wireThumbprint `json:"x509Thumbprint"`
}

type wireThumbprint struct {
	Primary   string `json:"primaryThumbprint,omitempty"`
	Secondary string `json:"secondaryThumbprint,omitempty"`
}

// wireTime has a zone or none; the year 1 stands for never.
type wireTime struct{ time.Time }

func (t *wireTime) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05", *s)
	}
	t.Time = at.UTC()
	return err
}

// UnmarshalJSON reads a device as the hub writes it.
func (d *Device) UnmarshalJSON(text []byte) error {
	var w wireDevice
	rest := map[string]json.RawMessage{}
	if err := errors.Join(json.Unmarshal(text, &w), json.Unmarshal(text, &rest)); err != nil {
		return err
	}
	*d = Device{
		ID: w.ID, ETag: w.ETag, GenerationID: w.GenerationID, Status: w.Status, StatusReason: w.StatusReason, StatusUpdated: w.StatusUpdated.Time,
		ConnectionState: w.ConnectionState, ConnectionUpdated: w.ConnectionUpdated.Time, LastActivity: w.LastActivity.Time, Pending: w.Pending,
		AuthenticationType: w.Authentication.Type, PrimaryThumbprint: w.Authentication.Thumbprint.Primary, SecondaryThumbprint: w.Authentication.Thumbprint.Secondary,
		rest: func() map[string]json.RawMessage { return rest },
	}
	return nil
}

// body is the device as the hub is to have it.
func (d Device) body() (map[string]json.RawMessage, error) {
	body := map[string]json.RawMessage{}
	if d.rest != nil {
		body = maps.Clone(d.rest())
	}
	access := map[string]json.RawMessage{}
	if old := body["authentication"]; old != nil {
		if err := json.Unmarshal(old, &access); err != nil {
			return nil, err
		}
	}
	var errs error
	set := func(into map[string]json.RawMessage, name string, value any) {
		text, err := json.Marshal(value)
		into[name], errs = text, errors.Join(errs, err)
	}
	set(access, "type", d.AuthenticationType)
	if d.AuthenticationType == SelfSigned {
		set(access, "x509Thumbprint", wireThumbprint{d.PrimaryThumbprint, d.SecondaryThumbprint})
	}
	set(body, "authentication", access)
	set(body, "deviceId", d.ID)
	set(body, "status", d.Status)
	delete(body, "statusReason") // a PUT replaces: none is sent, none is there
	if d.StatusReason != "" {
		set(body, "statusReason", d.StatusReason)
	}
	if d.ETag != "" && d.ETag != AnyETag {
		set(body, "etag", d.ETag)
	}
	return body, errs
}

// Same reports whether the registry has d as it was asked for. Thumbprints are
// the same in either case.
func (d Device) Same(asked Device) bool {
	return d.Status == asked.Status && d.StatusReason == asked.StatusReason && d.AuthenticationType == asked.AuthenticationType &&
		strings.EqualFold(d.PrimaryThumbprint, asked.PrimaryThumbprint) && strings.EqualFold(d.SecondaryThumbprint, asked.SecondaryThumbprint)
}

// Get reads a device.
func (c *Client) Get(ctx context.Context, id string) (Device, error) {
	var d Device
	_, err := c.do(ctx, request{step: "read", subject: "device " + id, method: http.MethodGet, path: []string{"devices", id}}, &d)
	return d, err
}

// Create makes a device, and none that is there already its own. Where status
// and authentication type are left out it is enabled and self-signed.
func (c *Client) Create(ctx context.Context, d Device) (Device, error) {
	if d.Status == "" {
		d.Status = Enabled
	}
	if d.AuthenticationType == "" {
		d.AuthenticationType = SelfSigned
	}
	d.ETag, d.rest = "", nil
	return c.put(ctx, "create", d, ErrConflict)
}

// Update changes a device as it was read, or with [AnyETag] whatever is there.
func (c *Client) Update(ctx context.Context, d Device) (Device, error) {
	return c.put(ctx, "change", d, ErrPrecondition)
}

var errNoETag = errors.New("it was not read: no ETag")

// put sends a device. Where an answer was lost the refusal of the next try may
// be of our own doing: the device tells.
func (c *Client) put(ctx context.Context, step string, d Device, ours error) (Device, error) {
	subject := "device " + d.ID
	if d.ETag == "" && step != "create" {
		return Device{}, record.NewFailure(record.Harness, step, subject, errNoETag)
	}
	body, err := d.body()
	if err != nil {
		return Device{}, record.NewFailure(record.Harness, step, subject, err)
	}
	var is Device
	a, err := c.do(ctx, request{step: step, subject: subject, method: http.MethodPut, path: []string{"devices", d.ID}, etag: d.ETag, body: body}, &is)
	if a.lost && errors.Is(err, ours) {
		if now, readErr := c.Get(ctx, d.ID); readErr == nil && now.Same(d) {
			return now, nil
		}
	}
	return is, err
}

// Delete removes a version of a device, or [AnyETag].
func (c *Client) Delete(ctx context.Context, id, etag string) error {
	subject := "device " + id
	if etag == "" {
		return record.NewFailure(record.Harness, "remove", subject, errNoETag)
	}
	a, err := c.do(ctx, request{step: "remove", subject: subject, method: http.MethodDelete, path: []string{"devices", id}, etag: etag}, nil)
	if a.lost && errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Purge drops what waits for a device, and says how many messages that were.
func (c *Client) Purge(ctx context.Context, id string) (int, error) {
	var dropped struct {
		Messages int `json:"totalMessagesPurged"`
	}
	_, err := c.do(ctx, request{step: "purge", subject: "messages to " + id, method: http.MethodDelete, path: []string{"devices", id, "commands"}}, &dropped)
	return dropped.Messages, err
}

// Statistics are of the whole registry.
type Statistics struct {
	Total    int `json:"totalDeviceCount"`
	Enabled  int `json:"enabledDeviceCount"`
	Disabled int `json:"disabledDeviceCount"`
}

// Statistics reads how many devices there are.
func (c *Client) Statistics(ctx context.Context) (Statistics, error) {
	var s Statistics
	_, err := c.do(ctx, request{step: "read", subject: "statistics", method: http.MethodGet, path: []string{"statistics", "devices"}}, &s)
	return s, err
}

package registryapi

import (
	"strings"
	"time"

	"hilrig/azure"
)

const (
	maxReason = 128 // characters of a status reason (Azure: iot-hub-devguide-identity-registry)

	enabled, disabled = "enabled", "disabled"
	selfSigned        = "selfSigned"
)

// identity is a device as IoT Hub shows it (REST: Devices, "Device").
type identity struct {
	DeviceID       string         `json:"deviceId"`
	GenerationID   string         `json:"generationId"`
	ETag           string         `json:"etag"`
	Connection     string         `json:"connectionState"`
	Status         string         `json:"status"`
	StatusReason   *string        `json:"statusReason"`
	ConnectionTime string         `json:"connectionStateUpdatedTime"`
	StatusTime     string         `json:"statusUpdatedTime"`
	ActivityTime   string         `json:"lastActivityTime"`
	Pending        int            `json:"cloudToDeviceMessageCount"`
	Authentication authentication `json:"authentication"`
	Capabilities   capabilities   `json:"capabilities"`
	Scopes         []string       `json:"parentScopes"`
}

type authentication struct {
	SymmetricKey symmetricKey `json:"symmetricKey"`
	Thumbprint   thumbprint   `json:"x509Thumbprint"`
	Type         string       `json:"type"`
}

type symmetricKey struct {
	Primary   *string `json:"primaryKey"`
	Secondary *string `json:"secondaryKey"`
}

type thumbprint struct {
	Primary   *string `json:"primaryThumbprint"`
	Secondary *string `json:"secondaryThumbprint"`
}

type capabilities struct {
	Edge bool `json:"iotEdge"`
}

// never is how IoT Hub writes a time that was not yet.
const never, neverBare = "0001-01-01T00:00:00Z", "0001-01-01T00:00:00"

func (s *Server) identity(e *entry) identity {
	id := e.device.ID
	return identity{
		DeviceID: id, GenerationID: e.device.Generation, Scopes: []string{}, ETag: e.etag(), Connection: s.connection(id), Status: statusOf(e),
		StatusReason: orNull(e.reason), StatusTime: written(e.statusChanged), ConnectionTime: never, ActivityTime: never,
		Pending: s.config.Hub.Pending(id),
		Authentication: authentication{
			Thumbprint: thumbprint{Primary: orNull(e.primary), Secondary: orNull(e.secondary)}, Type: selfSigned,
		},
	}
}

// written is a time as IoT Hub writes it, in steps of 100 ns.
func written(at time.Time) string {
	return at.UTC().Truncate(100 * time.Nanosecond).Format(time.RFC3339Nano)
}

func (s *Server) connection(id string) string {
	if s.config.Hub.Connected(id) {
		return "Connected"
	}
	return "Disconnected"
}

func statusOf(e *entry) string {
	if e.device.Disabled {
		return disabled
	}
	return enabled
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// wanted is a device as a PUT wants it.
type wanted struct {
	id, primary, secondary, reason string
	disabled                       bool
}

// want reads what a PUT asks for, and refuses what this hub would not keep.
func (d identity) want(id string) (wanted, error) {
	w := wanted{id: id, disabled: d.Status == disabled}
	if d.StatusReason != nil {
		w.reason = *d.StatusReason
	}
	if err := azure.CheckDeviceID(id); err != nil {
		return w, badRequest("%v", err)
	}
	switch {
	case d.DeviceID != id:
		return w, badRequest("deviceId %q is not that of the path", d.DeviceID)
	case d.Status != "" && d.Status != enabled && d.Status != disabled:
		return w, badRequest("status %q is neither enabled nor disabled", d.Status)
	case len([]rune(w.reason)) > maxReason:
		return w, badRequest("statusReason has more than %d characters", maxReason)
	case d.Capabilities.Edge:
		return w, badRequest("capabilities: this hub has no IoT Edge devices")
	}
	return w, d.Authentication.want(&w)
}

func (a authentication) want(w *wanted) error {
	for into, print := range map[*string]*string{&w.primary: a.Thumbprint.Primary, &w.secondary: a.Thumbprint.Secondary} {
		if print != nil {
			*into = strings.ToUpper(*print)
		}
	}
	some := w.primary + w.secondary
	switch {
	case a.Type == "" && some == "", a.Type != "" && !strings.EqualFold(a.Type, selfSigned):
		return badRequest("authentication: this hub knows devices of type selfSigned, with thumbprints; not %q", a.Type)
	case some == "":
		return badRequest("authentication: neither primaryThumbprint nor secondaryThumbprint")
	case w.primary != "" && w.secondary != "" && len(w.primary) != len(w.secondary):
		return badRequest("authentication: both thumbprints are SHA-1, or both SHA-256") // X509ThumbprintExtensions of the .NET SDK
	}
	for _, print := range []string{w.primary, w.secondary} {
		if print != "" && !isThumbprint(print) {
			return badRequest("authentication: a thumbprint is 40 (SHA-1) or 64 (SHA-256) hex digits, this is %d characters", len(print))
		}
	}
	return nil
}

func isThumbprint(print string) bool {
	return (len(print) == 40 || len(print) == 64) && strings.Trim(print, "0123456789ABCDEF") == ""
}

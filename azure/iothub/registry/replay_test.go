package registry_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/registry"
)

// versions are ETags as the real hub's looked: numbers in base64.
var versions = strings.NewReplacer("{1}", "OTQ1MjczNDU0", "{2}", "OTQ1MjczNDU1", "{3}", "OTQ1MjczNDU2")

// player is a server that answers as recorded, and asks for what was recorded.
type player struct {
	t    *testing.T
	next exchange
}

func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := p.next
	p.next = exchange{ask: "nothing more"}
	if got := r.Method + " " + r.URL.EscapedPath(); got != x.ask {
		p.t.Errorf("asked %s, recorded %s", got, x.ask)
	}
	match := r.Header.Get("If-Match")
	if recorded := versions.Replace(x.match); match != recorded && (match != "" || recorded != none) {
		p.t.Errorf("%s: If-Match %q, recorded %q", x.ask, match, recorded)
	}
	if r.Host != hostName || r.URL.RawQuery != "api-version=2021-04-12" || !strings.HasPrefix(r.Header.Get("Authorization"), "SharedAccessSignature sr="+hostName+"&sig=") {
		p.t.Errorf("%s: host %s, query %s, headers %v", x.ask, r.Host, r.URL.RawQuery, r.Header)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Error(err)
	}
	want := value(p.t, versions.Replace(x.send))
	if r.Method == "PATCH" { // this client sends what changes, and not the whole twin
		want = map[string]any{"properties": map[string]any{"desired": want.(map[string]any)["properties"].(map[string]any)["desired"]}}
	}
	if missing := lacks(want, value(p.t, string(body))); missing != "" {
		p.t.Errorf("%s: the recorded request has %s; sent %s", x.ask, missing, body)
	}
	h := w.Header()
	h.Set("Server", "Microsoft-HTTPAPI/2.0")
	h.Set("Vary", "Origin")
	h.Set("x-ms-request-id", "e40e9db2-199f-482b-887a-f45fbeaa7b8c")
	if name, text, ok := strings.Cut(versions.Replace(x.headers), ": "); ok {
		h.Set(name, text)
	}
	if x.answer != "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(x.status)
	_, _ = io.WriteString(w, versions.Replace(x.answer))
}

// value is what a JSON text says; nil of none.
func value(t *testing.T, text string) (v any) {
	t.Helper()
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// hubs are what the hub alone writes: Microsoft's SDK sends back what it once
// read.
var hubs = []string{"$metadata", "$version", "etag", "statusUpdatedTime", "connectionStateUpdatedTime", "lastActivityTime"}

// lacks names what of a recorded request another has not or otherwise; empty:
// nothing. What is null or empty counts as not there.
func lacks(recorded, got any) string {
	switch want := recorded.(type) {
	case nil:
		return ""
	case map[string]any:
		have, _ := got.(map[string]any)
		for name, v := range want {
			if slices.Contains(hubs, name) {
				continue
			}
			if m := lacks(v, have[name]); m != "" {
				return name + " " + m
			}
		}
		return ""
	}
	if a, b := text(recorded), text(got); a != b {
		return a
	}
	return ""
}

func text(v any) string {
	data, err := json.Marshal(v)
	return errors.Join(err, errors.New(string(data))).Error()
}

// Recorded exchanges, each played to this client by a server that has the
// answers of the real one.
func TestClientReadsTheRecordings(t *testing.T) {
	played := 0
	for _, s := range recorded {
		t.Run(s.name, func(t *testing.T) {
			ca := newAuthority(t, "a root")
			p := &player{t: t}
			c := registry.New(access.ByKey(someConnection(t)), registry.Options{Network: access.Network{Endpoint: serve(t, ca, time.Now().Add(time.Hour), p), Roots: ca.roots()}})
			t.Cleanup(c.Close)
			var d registry.Device
			for _, x := range s.steps {
				if x.ask == "POST /devices" || x.ask == "GET /statistics/service" {
					continue // this client asks neither
				}
				p.next = x
				play(t, c, x, &d)
				played++
			}
		})
	}
	if played < 30 {
		t.Errorf("%d exchanges", played)
	}
}

// play asks by the client what was recorded, and holds what it understood
// against the recorded answer. d is the device as it was last read.
func play(t *testing.T, c *registry.Client, x exchange, d *registry.Device) {
	t.Helper()
	ctx := t.Context()
	answer := versions.Replace(x.answer)
	var err error
	device := func(got registry.Device, e error) {
		if err = e; e == nil {
			*d = got
			sameDevice(t, x.ask, got, value(t, answer).(map[string]any))
		}
	}
	switch method, path, _ := strings.Cut(x.ask, " /"); {
	case path == "devices/query":
		var found []registry.Twin
		found, err = c.Query(ctx, value(t, x.send).(map[string]any)["query"].(string))
		if want := value(t, answer).([]any); len(found) != len(want) {
			t.Errorf("%d found, recorded %d", len(found), len(want))
		}
		for i, twin := range found {
			sameTwin(t, twin, value(t, answer).([]any)[i].(map[string]any))
		}
	case path == "statistics/devices":
		var s registry.Statistics
		if s, err = c.Statistics(ctx); s != (registry.Statistics{Total: 5}) {
			t.Errorf("statistics %+v", s)
		}
	case method == "GET" && path == "devices/d":
		device(c.Get(ctx, "d"))
	case method == "PUT" && (x.match == "" || x.match == none):
		device(c.Create(ctx, registry.Device{ID: "d", AuthenticationType: "sas"}))
	case method == "PUT":
		d.ETag = strings.Trim(versions.Replace(x.match), `"`)
		status := registry.Disabled
		if strings.Contains(x.send, `"enabled"`) {
			status = registry.Enabled
		}
		device(c.Update(ctx, with(*d, status, "")))
	case method == "DELETE":
		err = c.Delete(ctx, "d", x.match)
	case method == "GET":
		var got registry.Twin
		got, err = c.Twin(ctx, "d")
		sameTwin(t, got, value(t, answer).(map[string]any))
	case method == "PATCH":
		var got registry.Twin
		got, err = c.PatchTwin(ctx, "d", x.match, registry.TwinPatch{Desired: []byte(`{"username":"userA"}`)})
		sameTwin(t, got, value(t, answer).(map[string]any))
	}
	refused(t, x, err)
}

func sameDevice(t *testing.T, ask string, d registry.Device, want map[string]any) {
	t.Helper()
	reason, _ := want["statusReason"].(string)
	for name, pair := range map[string][2]any{
		"id": {d.ID, want["deviceId"]}, "ETag": {d.ETag, want["etag"]}, "generation": {d.GenerationID, want["generationId"]},
		"status": {d.Status, want["status"]}, "reason": {d.StatusReason, reason}, "connection": {d.ConnectionState, want["connectionState"]},
		"messages": {float64(d.Pending), want["cloudToDeviceMessageCount"]}, "authentication": {d.AuthenticationType, "sas"},
		"status changed": {d.StatusUpdated, at(want["statusUpdatedTime"])}, "connection changed": {d.ConnectionUpdated, time.Time{}}, "activity": {d.LastActivity, time.Time{}},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s is %v, recorded %v", ask, name, pair[0], pair[1])
		}
	}
}

// at is a time as the hub writes it; the year 1 is none.
func at(text any) time.Time {
	parsed, err := time.Parse(time.RFC3339, strings.TrimSuffix(text.(string), "Z")+"Z")
	if err != nil {
		panic(err)
	}
	return parsed
}

func sameTwin(t *testing.T, got registry.Twin, want map[string]any) {
	t.Helper()
	properties := want["properties"].(map[string]any)
	if got.DeviceID != want["deviceId"] || got.ETag != want["etag"] || got.DeviceETag != want["deviceEtag"] || float64(got.Version) != want["version"] || got.Status != "enabled" ||
		got.Connected || !got.LastActivity.IsZero() || text(value(t, string(got.Desired))) != text(properties["desired"]) || text(value(t, string(got.Reported))) != text(properties["reported"]) {
		t.Errorf("got %+v, recorded %s", got, text(want))
	}
}

// refused holds an error against the recorded status.
func refused(t *testing.T, x exchange, err error) {
	t.Helper()
	class := map[int]error{404: registry.ErrNotFound, 412: registry.ErrPrecondition}[x.status]
	if class == nil {
		if err != nil {
			t.Errorf("%s: %v", x.ask, err)
		}
		return
	}
	var e *registry.Error
	if !errors.Is(err, class) || !errors.As(err, &e) || e.Status != x.status || x.headers != "iothub-errorcode: "+e.Code || e.TrackingID == "" || !strings.Contains(x.answer, e.TrackingID) {
		t.Errorf("%s: got %v", x.ask, err)
	}
}

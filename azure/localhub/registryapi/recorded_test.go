package registryapi_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"hilrig/azure/hub"
)

func etagIn(t *testing.T, body string) string {
	t.Helper()
	var b struct{ ETag string }
	if err := json.Unmarshal([]byte(body), &b); err != nil || b.ETag == "" {
		t.Fatalf("%v: %s", err, body)
	}
	return `"` + b.ETag + `"`
}

// The real registry as recorded (Azure/azure-sdk-for-net, SessionRecords of
// Azure.Iot.Hub.Service): what it answers to the same requests.
func TestRegistryAnswersAsRecorded(t *testing.T) {
	const old = "api-version=2020-03-13"
	r := start(t)
	a := r.do("PUT", "/devices/d?"+old, device("d", sha1a), "If-Match", `""`)
	for _, want := range []string{`"statusUpdatedTime":"0001-01-01T00:00:00","lastActivityTime":"0001-01-01T00:00:00"`, `"parentScopes":[]`} {
		if a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("made with an empty If-Match: %d, no %s in %s", a.status, want, a.body)
		}
	}
	first := a.header.Get("ETag")
	if !regexp.MustCompile(`^"[A-Za-z0-9+/]+=*"$`).MatchString(first) || !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(a.header.Get("x-ms-request-id")) ||
		a.header.Get("Vary") != "Origin" || a.header.Get("Server") == "" {
		t.Errorf("headers %v", a.header)
	}
	if a := r.do("PUT", "/devices/d?"+old, device("d", sha1a), "If-Match", `""`); a.status != 409 || !strings.Contains(a.body, `"ErrorCode:DeviceAlreadyExists;A device with ID 'd' is already registered."`) {
		t.Errorf("made again: %d %s", a.status, a.body)
	}
	changed := r.do("PUT", "/devices/d?"+old, strings.Replace(device("d", sha1a), "enabled", "disabled", 1), "If-Match", first)
	if changed.status != 200 || strings.Contains(changed.body, `"statusUpdatedTime":"0001`) {
		t.Errorf("changed: %d %s", changed.status, changed.body)
	}
	if a := r.do("PUT", "/devices/d?"+old, device("d", sha1a), "If-Match", first); a.status != 412 || !strings.Contains(a.body, `"ErrorCode:PreconditionFailed;PreconditionFailed"`) {
		t.Errorf("an old ETag: %d %s", a.status, a.body)
	}
	if a := r.do("GET", "/devices/x?"+old, ""); a.status != 404 || !strings.Contains(a.body, `"ErrorCode:DeviceNotFound;x"`) {
		t.Errorf("unknown: %d %s", a.status, a.body)
	}
	twin := r.do("GET", "/twins/d?"+old, "")
	if twin.status != 200 || twin.header.Get("ETag") != "" || strings.Contains(twin.body, "modelId") || !strings.Contains(twin.body, `"version":2,"properties":{"desired":{"$metadata":{"$lastUpdated":"`) {
		t.Errorf("a new twin: %+v", twin)
	}
	if a := r.do("GET", "/twins/d?"+version, ""); !strings.Contains(a.body, `"modelId":""`) {
		t.Errorf("by a newer version: %s", a.body)
	}
	whole := strings.Replace(twin.body, `"desired":{`, `"desired":{"username":"userA",`, 1)
	a = r.do("PATCH", "/twins/d?"+old, whole, "If-Match", "*")
	if a.status != 200 || !strings.Contains(a.body, `"desired":{"username":"userA","$metadata":{"$lastUpdated":"`) || !strings.Contains(a.body, `"version":3`) || etagIn(t, a.body) != `"AAAAAAAAAAI="` {
		t.Errorf("a twin sent back whole: %d %s", a.status, a.body)
	}
	if a := r.do("GET", "/statistics/devices?"+old, ""); a.body != `{"totalDeviceCount":1,"enabledDeviceCount":0,"disabledDeviceCount":1}` {
		t.Errorf("statistics: %s", a.body)
	}
	if a := r.do("GET", "/statistics/service?"+old, ""); a.body != `{"connectedDeviceCount":0}` {
		t.Errorf("statistics: %s", a.body)
	}
}

func TestTagsReplacingAndPurging(t *testing.T) {
	r := start(t)
	r.put("d", device("d", sha1a))
	if a := r.do("PATCH", "/twins/d?"+version, `{"tags":{"site":"lab"},"properties":{"desired":{"a":1}}}`); a.status != 200 || !strings.Contains(a.body, `"tags":{"site":"lab"}`) {
		t.Errorf("tags: %d %s", a.status, a.body)
	}
	if a := r.do("PUT", "/twins/d?"+version, `{"properties":{"desired":{"b":2}}}`); a.status != 200 || strings.Contains(a.body, "tags") || strings.Contains(a.body, `"a":1`) || !strings.Contains(a.body, `"b":2`) {
		t.Errorf("replaced: %d %s", a.status, a.body)
	}
	for range 2 {
		if err := r.hub.SendToDevice("d", hub.DeviceBound{ID: "m"}); err != nil {
			t.Fatal(err)
		}
	}
	if a := r.do("DELETE", "/devices/d/commands?"+version, ""); a.status != 200 || !strings.Contains(a.body, `"totalMessagesPurged":2`) || r.hub.Pending("d") != 0 {
		t.Errorf("purged: %d %s", a.status, a.body)
	}
}

func TestBulk(t *testing.T) {
	r := start(t)
	one := func(id, mode string) string {
		return `{"id":"` + id + `","importMode":"` + mode + `","status":"enabled","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"` + sha1a + `"}},"properties":{"desired":{"user":"a"}}}`
	}
	if a := r.do("POST", "/devices?"+version, "["+one("a", "create")+","+one("b", "create")+"]"); a.status != 200 || a.body != `{"isSuccessful":true,"errors":[],"warnings":[]}` {
		t.Errorf("made: %d %s", a.status, a.body)
	}
	if v, _ := r.hub.Twin("a"); !strings.Contains(string(v.Desired), `"user":"a"`) {
		t.Errorf("twin %s", v.Desired)
	}
	a := r.do("POST", "/devices?"+version, "["+one("a", "create")+","+one("c", "create")+`,{"id":"b","importMode":"delete"},{"id":"x","importMode":"update"}]`)
	if a.status != 400 || !strings.Contains(a.body, `"isSuccessful":false`) || !strings.Contains(a.body, `{"deviceId":"a","errorCode":409001`) || !strings.Contains(a.body, `{"deviceId":"x","errorCode":404001`) {
		t.Errorf("some refused: %d %s", a.status, a.body)
	}
	if d := r.hub.Devices(); len(d) != 2 || d[0].ID != "a" || d[1].ID != "c" {
		t.Errorf("devices %v", d)
	}
	if a := r.do("POST", "/devices?"+version, "["+strings.Repeat(one("z", "create")+",", 100)+one("z", "create")+"]"); a.status != 400 {
		t.Errorf("too many: %d", a.status)
	}
}

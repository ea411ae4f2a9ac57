package azure

import (
	"maps"
	"testing"
	"time"
)

// TestStamp: "Create and read IoT Hub messages", "Anti-spoofing properties".
func TestStamp(t *testing.T) {
	at := time.Date(2026, 11, 27, 1, 2, 3, 4_000_000, time.FixedZone("", 3600))
	_, forged := ParseBag("$.ct=text%2Fplain&$.cdid=other&$.cmid=module&%24.cmid=module")
	got := Stamp(forged, Stamps{DeviceID: "d1", Generation: "7", ModelID: "dtmi:com:example:Thermostat;1", Enqueued: at})
	want := map[string]string{
		"content-type": "text/plain", "iothub-connection-device-id": "d1", "iothub-connection-auth-generation-id": "7",
		"iothub-connection-auth-method": AuthMethodX509, "dt-dataschema": "dtmi:com:example:Thermostat;1",
		"iothub-enqueuedtime": "2026-11-27T00:02:03.004Z",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if forged["iothub-connection-device-id"] != "other" {
		t.Error("the device's own properties were changed")
	}
	for _, nanos := range []int{0, 1, 999_999_999} {
		got := Stamp(nil, Stamps{DeviceID: "d1", Enqueued: time.Unix(1, int64(nanos))})
		if len(got["iothub-enqueuedtime"]) != len("2026-11-27T00:02:03.004Z") || len(got) != 3 {
			t.Errorf("%d ns: %v", nanos, got)
		}
	}
}

func TestModelID(t *testing.T) {
	for name, want := range map[string]string{
		"h/d/?api-version=2020-09-30&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1": "dtmi:com:example:Thermostat;1",
		"h/d/?api-version=2020-09-30": "",
	} {
		u, err := ParseUserName(name)
		if err != nil || u.ModelID() != want {
			t.Errorf("%s: %q, %v", name, u.ModelID(), err)
		}
	}
}

package azure

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// TestParsePublishTopic: IoT Hub MQTT for the topics; Edge Hub's
// appsettings_hub.json for the optional slashes; the Tasmota row is what the
// real hub stored (arendst/Tasmota#11771).
func TestParsePublishTopic(t *testing.T) {
	type bag map[string]string
	tests := []struct {
		topic      string
		kind       TopicKind
		properties bag
		system     bag
		rid        string
		status     int
	}{
		{"devices/d1/messages/events/", KindEvents, nil, nil, "", 0},
		{"devices/d1/messages/events", KindEvents, nil, nil, "", 0},
		{"devices/d1/messages/events/a=1&b=2", KindEvents, bag{"a": "1", "b": "2"}, nil, "", 0},
		{"devices/d1/messages/events/a=1/", KindEvents, bag{"a": "1"}, nil, "", 0},
		{"devices/d1/messages/events/$.ct=application%2Fjson%3Bcharset%3Dutf-8&$.ce=utf-8", KindEvents, nil,
			bag{"content-type": "application/json;charset=utf-8", "content-encoding": "utf-8"}, "", 0},
		{"devices/d1/messages/events/%24.ct=application%2Fjson&%24.mid=7&x=%C3%A9", KindEvents, bag{"x": "é"},
			bag{"content-type": "application/json", "message-id": "7"}, "", 0},
		{"devices/d1/messages/events/LWT", KindEvents, bag{"LWT": ""}, nil, "", 0},
		{"devices/d1/messages/events/a=b=c&d=1+1&&=x&e=%zz%41", KindEvents, bag{"a": "b=c", "d": "1+1", "e": "%zzA"}, nil, "", 0},
		{"$iothub/twin/GET/?$rid=12", KindTwinGet, bag{"$rid": "12"}, nil, "12", 0},
		{"$iothub/twin/PATCH/properties/reported/?$rid=a%20b", KindTwinReported, bag{"$rid": "a b"}, nil, "a b", 0},
		{"$iothub/twin/PATCH/properties/reported/", KindTwinReported, nil, nil, "", 0},
		{"$iothub/methods/res/200/?$rid=3", KindMethodResponse, bag{"$rid": "3"}, nil, "3", 200},
		{"$iothub/methods/res/-1/?$rid=3", KindMethodResponse, bag{"$rid": "3"}, nil, "3", -1},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			p, err := ParsePublishTopic("d1", tt.topic)
			if err != nil {
				t.Fatal(err)
			}
			if p.Kind != tt.kind || p.RequestID != tt.rid || p.Status != tt.status ||
				!maps.Equal(bag(p.Properties), tt.properties) || !maps.Equal(bag(p.System), tt.system) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestParsePublishTopicErrors(t *testing.T) {
	tests := []struct {
		topic string
		want  error
		says  string
	}{
		{"", ErrTopic, "empty"},
		{"telemetry", ErrTopic, "devices/d1/messages/events/"},
		{"/devices/d1/messages/events/", ErrTopic, "slash"},
		{"devices/other/messages/events/", ErrTopic, `"other"`},
		{"devices/D1/messages/events/", ErrTopic, `"D1"`},
		{"Devices/d1/Messages/events/", ErrTopic, "case"},
		{"devices/d1/messages/eventsx", ErrTopic, ""},
		{"devices/d1/messages/devicebound/", ErrTopic, "cloud sends"},
		{"devices/d1/modules/m/messages/events/", ErrTopic, ""},
		{"$iothub/twin/GET/", ErrNoRequest, "$rid"},
		{"$iothub/twin/GET/?rid=1", ErrNoRequest, "$rid"},
		{"$iothub/twin/GET/$rid=1", ErrTopic, "?"},
		{"$iothub/twin/PATCH/properties/desired/?$rid=1", ErrTopic, ""},
		{"$iothub/methods/res/ok/?$rid=1", ErrTopic, `"ok"`},
		{"$iothub/methods/res/200?$rid=1", ErrTopic, "integer"},
		{"$iothub/methods/res/200/", ErrNoRequest, "$rid"},
		{"$iothub/other", ErrTopic, ""},
	}
	for _, tt := range tests {
		t.Run(tt.topic, func(t *testing.T) {
			p, err := ParsePublishTopic("d1", tt.topic)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %+v, %v", p, err)
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), `"`+tt.topic+`"`) {
				t.Errorf("%q does not name the topic, or say %q", err, tt.says)
			}
		})
	}
}

// TestParseFilter: IoT Hub MQTT. The guide's device subscribes to its own
// telemetry topic ("Read Topic"): granted by Edge Hub, and nothing comes.
func TestParseFilter(t *testing.T) {
	for filter, want := range map[string]TopicKind{
		"devices/d1/messages/devicebound/#":       KindDevicebound,
		"$iothub/twin/res/#":                      KindTwinResult,
		"$iothub/twin/PATCH/properties/desired/#": KindTwinDesired,
		"$iothub/methods/POST/#":                  KindMethodInvoke,
	} {
		if got, err := ParseFilter("d1", filter); err != nil || got != want {
			t.Errorf("%s: %v, %v", filter, got, err)
		}
	}
	for _, filter := range []string{"", "#", "devices/d2/messages/devicebound/#", "devices/d1/messages/devicebound/", "devices/d1/messages/events/", "$iothub/methods/POST/reboot"} {
		if got, err := ParseFilter("d1", filter); !errors.Is(err, ErrFilter) {
			t.Errorf("%s: %v, %v", filter, got, err)
		}
	}
}

func TestCheckWillTopic(t *testing.T) {
	for topic, legal := range map[string]bool{
		"devices/d1/messages/events/":    true,
		"devices/d1/messages/events/a=b": true,
		"devices/d2/messages/events/":    false,
		"status/d1":                      false,
		"$iothub/twin/GET/?$rid=1":       false,
		"":                               false,
	} {
		if err := CheckWillTopic("d1", topic); (err == nil) != legal {
			t.Errorf("%q: %v", topic, err)
		}
	}
}

// TestHubTopics: IoT Hub MQTT; system keys of a cloud-to-device topic as they
// arrive at a device (%24.to=%2Fdevices%2F…).
func TestHubTopics(t *testing.T) {
	system := map[string]string{SystemTo: "/devices/d1/messages/devicebound", SystemContentType: "text/csv; header=present", SystemMessageID: "m-1"}
	for got, want := range map[string]string{
		CloudToDeviceTopic("d1", nil, nil):    "devices/d1/messages/devicebound/",
		CloudToDeviceTopic("d1", system, nil): "devices/d1/messages/devicebound/%24.mid=m-1&%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound&%24.ct=text%2Fcsv%3B%20header%3Dpresent",
		CloudToDeviceTopic("d1", map[string]string{SystemAck: "full"}, []Property{{Name: "n", Null: true}, {Name: "e"}, {Name: "a b", Value: "ü&="}}): "devices/d1/messages/devicebound/iothub-ack=full&n&e=&a%20b=%C3%BC%26%3D",
		TwinResultTopic(204, "5", 6):  "$iothub/twin/res/204/?$rid=5&$version=6",
		TwinResultTopic(200, "5", -1): "$iothub/twin/res/200/?$rid=5",
		TwinDesiredTopic(9):           "$iothub/twin/PATCH/properties/desired/?$version=9",
		MethodTopic("reboot", "1"):    "$iothub/methods/POST/reboot/?$rid=1",
		DeviceboundFilter("d1"):       "devices/d1/messages/devicebound/#",
	} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

package azure

import (
	"errors"
	"strings"
	"testing"
)

// TestParseUserName: documented and guide forms from IoT Hub MQTT and the
// guide's section 5; the edge form and the rules for properties from Edge
// Hub's MqttUsernameParser; the DeviceClientType is that of a capture in
// Azure/iot-hub-device-update#660.
func TestParseUserName(t *testing.T) {
	tests := []struct {
		in   string
		want UserName
	}{
		{"hub.azure-devices.net/dev-1/?api-version=2021-04-12", UserName{"hub.azure-devices.net", "dev-1", "2021-04-12", FormDocumented, nil}},
		{"x.azure-devices.net/d/?api-version=2020-09-30&DeviceClientType=iothubclient%2f1.9.0%20(native%3b%20Linux%3b%20aarch64)",
			UserName{"x.azure-devices.net", "d", "2020-09-30", FormDocumented, map[string]string{"DeviceClientType": "iothubclient/1.9.0 (native; Linux; aarch64)"}}},
		{"h.example/meter-7/api-version=2019-03-30&DeviceClientType=acme",
			UserName{"h.example", "meter-7", "2019-03-30", FormEdge, map[string]string{"DeviceClientType": "acme"}}},
		{"h.example/meter-7/?api-version=2019-03-30&model-id=dtmi%3Aacme%3Bm",
			UserName{"h.example", "meter-7", "2019-03-30", FormDocumented, map[string]string{"model-id": "dtmi:acme;m"}}},
		{"MyVeryFirsthub.azure-devices.net/NewDevice?api-version=2018-06-30",
			UserName{"MyVeryFirsthub.azure-devices.net", "NewDevice", "2018-06-30", FormGuide, nil}},
		{"h/d?x?api-version=1", UserName{"h", "d?x", "1", FormGuide, nil}},
		{"h/d?model-id=a?b&api-version=1", UserName{"h", "d", "1", FormGuide, map[string]string{"model-id": "a?b"}}},
		{"h/?q/?api-version=1", UserName{"h", "?q", "1", FormDocumented, nil}},
		{"h/d/?api-version=1&api-version=2", UserName{"h", "d", "1", FormDocumented, nil}},
		{"h/d/?api-version=1&", UserName{"h", "d", "1", FormDocumented, nil}},
		{"h/d/?api-version=never-released", UserName{"h", "d", "never-released", FormDocumented, nil}},
		{"h/d/?api-version=1&x=%zz", UserName{"h", "d", "1", FormDocumented, map[string]string{"x": "%zz"}}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseUserName(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.Host != tt.want.Host || got.DeviceID != tt.want.DeviceID || got.APIVersion != tt.want.APIVersion || got.Form != tt.want.Form {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			for name, value := range tt.want.Properties {
				if got.Properties[name] != value {
					t.Errorf("%s is %q, want %q", name, got.Properties[name], value)
				}
			}
		})
	}
}

// TestParseUserNameErrors: what Edge Hub refuses, and modules, which this hub
// does not have.
func TestParseUserNameErrors(t *testing.T) {
	tests := []struct {
		in   string
		want error
		says string
	}{
		{"host-only", ErrUserNameForm, "no /"},
		{"h/id-only", ErrNoAPIVersion, "api-version"},
		{"h/d/x=1", ErrNoAPIVersion, "api-version"},
		{"h/d/m/x=1", ErrUserNameForm, `module "m"`},
		{"h/d/api-version", ErrNoAPIVersion, "api-version"},
		{"h//?api-version=1", ErrDeviceID, "empty"},
		{"h?api-version=1", ErrUserNameForm, "no /"},
		{"h/d/m?api-version=1", ErrNoAPIVersion, "api-version"},
		{"x.azure-devices.net/dev/mod/?api-version=2020-09-30", ErrUserNameForm, `module "mod"`},
		{"h/d/?api-version=1&DeviceClientType=c/1.0", ErrUserNameForm, "%2F"},
		{"h/d/m/x/?api-version=1", ErrUserNameForm, "5 parts"},
		{"h/d/?api-version=", ErrNoAPIVersion, "api-version"},
		{"h/d/?api-version=%20", ErrNoAPIVersion, "api-version"},
		{"h/d/?API-Version=1", ErrNoAPIVersion, "api-version"},
		{"/d/?api-version=1", ErrUserNameForm, "host"},
		{"h/d e/?api-version=1", ErrDeviceID, `' '`},
		{"h/d/", ErrNoAPIVersion, "api-version"},
		{"", ErrUserNameForm, "no /"},
	}
	tests = append(tests, struct {
		in   string
		want error
		says string
	}{"h/" + strings.Repeat("?", 65_000), ErrNoAPIVersion, "api-version"})
	for _, tt := range tests {
		t.Run(tt.in[:min(len(tt.in), 80)], func(t *testing.T) {
			u, err := ParseUserName(tt.in)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %+v, %v; want %v", u, err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
		})
	}
}

// TestCheckDeviceID: IoT Hub's identity registry page.
func TestCheckDeviceID(t *testing.T) {
	for _, good := range []string{"a", "NewDevice", "A-Za.z0:9%_*?!(),=@$'", strings.Repeat("x", 128)} {
		if err := CheckDeviceID(good); err != nil {
			t.Error(err)
		}
	}
	for bad, says := range map[string]string{
		"": "empty", strings.Repeat("x", 129): "129 characters", "a b": "' ' (a blank) at character 2", "a ": "' ' (a blank) at character 2",
		"a+b": "'+' at character 2", "#": "'#' at character 1", "a;b": "';'", "a/b": "'/'", "ä": "'ä' (U+00E4) at character 1", "éa&b": "U+00E9",
		"a\x00": `'\x00'`, "a&b": "'&'", "a\"": `'"'`, "a\u00a0b": "U+00A0", "a\u200bb": "U+200B", "a\tb": `'\t'`, "a\xff": "0xff",
	} {
		if err := CheckDeviceID(bad); !errors.Is(err, ErrDeviceID) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v does not say %s", bad, err, says)
		}
	}
}

func TestCheckClientID(t *testing.T) {
	if err := CheckClientID("dev", "dev"); err != nil {
		t.Error(err)
	}
	for in, says := range map[string]string{"Dev": "case", "other": "is not", "dev/module": "holds"} {
		err := CheckClientID(in, "dev")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

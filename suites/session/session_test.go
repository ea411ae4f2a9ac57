package session

import (
	"strings"
	"testing"
)

// A wrong device id that stands in client id and user name alike is one red, of
// session/client-id.
func TestAWrongDeviceIDIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		name, inUserName, clientID string
		elsewhere                  bool
	}{
		{"right in both", "NewDevice", "NewDevice", false},
		{"wrong in both, alike", "newdevice", "newdevice", true},
		{"wrong in the user name", "newdevice", "NewDevice", false},
		{"wrong in the client id", "NewDevice", "newdevice", false},
		{"wrong in both, each its own way", "newdevice", "NEWDEVICE", false},
	} {
		if got := toldByClientID(c.inUserName, c.clientID, "NewDevice"); (got != "") != c.elsewhere || got != "" && !strings.Contains(got, "session/client-id") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestWhatIsWrongWithAName(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{onlyInCase("NewDevice", "NewDevice"), ""},
		{onlyInCase("newdevice", "NewDevice"), "upper and lower case"},
		{onlyInCase("NewDevice ", "NewDevice"), ""},
		{withPort("hub.lan", "hub.lan"), ""},
		{withPort("hub.lan:8883", "hub.lan"), "the port 8883"},
		{withPort("hub.lan2:8883", "hub.lan"), ""},
	} {
		if (c.got == "") != (c.want == "") || !strings.Contains(c.got, c.want) {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

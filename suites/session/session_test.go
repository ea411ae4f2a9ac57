package session

import (
	"strings"
	"testing"
	"time"

	"hilrig/azure/hub"
)

// A device that waits a whole keep-alive for the answer to its ping is right to
// give up then: that the answer was on its way, and a busy host late with it, is
// no fault of the device's.
func TestADeviceMayGiveUpAfterAWholeKeepAlive(t *testing.T) {
	ping := hub.Event{At: time.Now()}
	for name, c := range map[string]struct {
		kind     hub.EventKind
		after    time.Duration
		byDevice bool
		may      bool
	}{
		"before the answer was due":        {hub.KindDisconnected, time.Second, true, false},
		"behind a keep-alive":              {hub.KindDisconnected, 2270 * time.Millisecond, true, true},
		"ended by the hub":                 {hub.KindDisconnected, 2270 * time.Millisecond, false, false},
		"the answer, however late it came": {hub.KindPacket, 2270 * time.Millisecond, false, false},
	} {
		end := hub.Event{Kind: c.kind, At: ping.At.Add(c.after), ByDevice: c.byDevice}
		if got := (alive{keepAlive: 2 * time.Second}).hadItsTime(ping, end); got != c.may {
			t.Errorf("%s: %v", name, got)
		}
	}
}

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

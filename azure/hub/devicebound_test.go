package hub_test

import (
	"testing"

	"hilrig/azure/hub"
)

// The device reads its message's properties out of the topic.
func TestAMessagesTopicHoldsItsPropertiesEncoded(t *testing.T) {
	const to, at = "%24.to=%2Fdevices%2Fd%201%2Fmessages%2FdeviceBound", "devices/d 1/messages/devicebound/"
	for _, c := range []struct {
		name string
		m    hub.DeviceBound
		want string
	}{
		{"nothing", hub.DeviceBound{}, at + to},
		{"an id", hub.DeviceBound{ID: "m/1"}, at + "%24.mid=m%2F1&" + to},
		{"properties, by name", hub.DeviceBound{Properties: map[string]string{"b": "", "a ~": "c&d+e=f"}}, at + to + "&a%20~=c%26d%2Be%3Df&b="},
		{"one of the system", hub.DeviceBound{Properties: map[string]string{"$.ct": "text"}}, at + to + "&%24.ct=text"},
		{"own id and address", hub.DeviceBound{ID: "m", Properties: map[string]string{"$.mid": "n", "$.to": "x"}}, at + "%24.mid=n&%24.to=x"},
	} {
		if got := c.m.Topic("d 1"); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.name, got, c.want)
		}
	}
}

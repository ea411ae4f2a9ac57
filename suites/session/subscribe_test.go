package session

import "testing"

func TestAFilterCoversAnother(t *testing.T) {
	const want = "devices/NewDevice/messages/devicebound/#"
	for filter, covered := range map[string]bool{
		want: true, "devices/+/messages/devicebound/#": true, "devices/NewDevice/#": true, "#": true,
		"devices/NewDevice/messages/devicebound/": false, "devices/NewDevice/messages/devicebound/+": false,
		"devices/Another/messages/devicebound/#": false, "devices/NewDevice/messages/devicebound": false,
		"devices/NewDevice/messages/devicebound/#/x": true,
	} {
		if got := covers(filter, want); got != covered {
			t.Errorf("%s: got %v, want %v", filter, got, covered)
		}
	}
}

package azure

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestServerTimeout: IoT Hub MQTT, "Default keep-alive time-out"; 0 as in the
// protocol gateway. The documentation calls 1177 s the longest useful value.
func TestServerTimeout(t *testing.T) {
	for keepAlive, want := range map[time.Duration]time.Duration{
		0:                   1767 * time.Second,
		time.Second:         1500 * time.Millisecond,
		240 * time.Second:   360 * time.Second,
		MaxKeepAlive:        1765500 * time.Millisecond,
		1179 * time.Second:  1767 * time.Second,
		65535 * time.Second: 1767 * time.Second,
		-time.Second:        1767 * time.Second,
		1 << 62:             1767 * time.Second,
	} {
		if got := ServerTimeout(keepAlive); got != want {
			t.Errorf("keep-alive %v: %v, want %v", keepAlive, got, want)
		}
	}
}

// TestMessageSize: IoT Hub, "Create and read IoT Hub messages": body, values of
// system properties, names and values of application properties.
func TestMessageSize(t *testing.T) {
	system := map[string]string{SystemContentType: "12345"}
	properties := map[string]string{"ab": "cde"}
	if got := MessageSize(100, system, properties); got != 110 {
		t.Errorf("%d", got)
	}
	if err := CheckSize(MaxMessage-10, system, properties); err != nil {
		t.Error(err)
	}
	err := CheckSize(MaxMessage-9, system, properties)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "262145") {
		t.Error(err)
	}
}

func TestGrantedQoS(t *testing.T) {
	for asked, want := range []byte{0, 1, 1} {
		if got := GrantedQoS(byte(asked)); got != want {
			t.Errorf("%d: granted %d", asked, got)
		}
	}
}

// TestC2DProperty: "Create and read IoT Hub messages": ASCII, names and values.
func TestC2DProperty(t *testing.T) {
	for _, x := range []struct {
		name, value string
		legal       bool
	}{
		{"color", "dark blue", true}, {"a&b", "c=d%/?", true}, {"a", "", true},
		{"", "x", false}, {"größe", "1", false}, {"a", "25 °C", false}, {"a", "b\nc", false},
	} {
		if err := CheckC2DProperty(x.name, x.value); (err == nil) != x.legal {
			t.Errorf("%q=%q: %v", x.name, x.value, err)
		}
	}
}

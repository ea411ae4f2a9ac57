package azure

import (
	"errors"
	"maps"
	"testing"
)

// FuzzParseUserName: whatever is accepted has all its parts, and is accepted
// again as written; whatever is refused says why by a sentinel.
func FuzzParseUserName(f *testing.F) {
	for _, s := range []string{"h/d/?api-version=1", "h/d/api-version=1", "h/d?api-version=1", "h/d?x?api-version=1&y=%41", "h/d/m/?api-version=1", "/", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseUserName(s)
		if err != nil {
			if !errors.Is(err, ErrUserNameForm) && !errors.Is(err, ErrNoAPIVersion) && !errors.Is(err, ErrDeviceID) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if u.Host == "" || CheckDeviceID(u.DeviceID) != nil || u.APIVersion == "" || u.Form == "" {
			t.Fatalf("%q: %+v", s, u)
		}
	})
}

// FuzzParsePublishTopic: no topic but the documented ones is taken.
func FuzzParsePublishTopic(f *testing.F) {
	for _, s := range []string{"devices/d/messages/events/a=b", "$iothub/twin/GET/?$rid=1", "$iothub/methods/res/200/?$rid=1", "x"} {
		f.Add("d", s)
	}
	f.Fuzz(func(t *testing.T, id, topic string) {
		p, err := ParsePublishTopic(id, topic)
		if err != nil && !errors.Is(err, ErrTopic) && !errors.Is(err, ErrNoRequest) {
			t.Fatalf("%q: %v", topic, err)
		}
		if err == nil && p.Kind == "" {
			t.Fatalf("%q: %+v", topic, p)
		}
		ParseFilter(id, topic)
	})
}

// FuzzBag: what is encoded is read back.
func FuzzBag(f *testing.F) {
	f.Add("name", "value", "text/plain; charset=utf-8")
	f.Add("a&b=c", "%41+ü\x00", "")
	f.Fuzz(func(t *testing.T, name, value, contentType string) {
		if name == "" || SystemName(name) != "" {
			return
		}
		system := map[string]string{SystemContentType: contentType}
		properties, gotSystem := ParseBag(EncodeBag(system, []Property{{Name: name, Value: value}}))
		if !maps.Equal(properties, map[string]string{name: value}) || !maps.Equal(gotSystem, system) {
			t.Fatalf("got %q, %q", properties, gotSystem)
		}
	})
}

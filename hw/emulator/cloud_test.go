package emulator

import (
	"encoding/json"
	"strings"
	"testing"
)

// toDevice is a message of the hub at QoS 0.
func toDevice(topic, payload string) []byte {
	p := &packet{head: kindPublish << 4, body: append(vector(2, []byte(topic)), payload...)}
	return p.bytes()
}

// One answer leads to the next question: GET, desired, report, call, answer.
func TestHandlesTwinAndMethodsIfTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, nil)
	f.behave(script{replies: map[string][]byte{
		twinGet:                        toDevice(twinDesired+"?$version=7", `{"a":{"b":1},"$version":7}`),
		twinReported:                   toDevice(methodCalls+"ping/?$rid=x1", `{}`),
		methodAnswers + "200/?$rid=x1": toDevice(methodCalls+"other/?$rid=x2", `{}`),
	}})
	f.boot(t, Config{Twin: true, Methods: []string{"ping"}}, nil)
	for _, want := range []struct{ topic, payload string }{
		{twinGet + "?$rid=1", ""}, {twinReported + "?$rid=2", `{"a":{"b":1}}`},
		{methodAnswers + "200/?$rid=x1", `{"uptime_ms":`}, {methodAnswers + "404/?$rid=x2", `{}`},
	} {
		e := f.await(want.topic, func(e hubEvent) bool {
			if e.kind != "packet" || e.p.kind() != kindPublish {
				return false
			}
			topic, _ := topicAndPayload(e.p)
			return topic == want.topic
		})
		if _, payload := topicAndPayload(e.p); !strings.HasPrefix(string(payload), want.payload) {
			t.Errorf("%s: %s, want %s", want.topic, payload, want.payload)
		}
	}
}

func FuzzReportOf(f *testing.F) {
	f.Add([]byte(`{"a":null,"$version":3}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"a":1}{`))
	f.Fuzz(func(t *testing.T, patch []byte) {
		report := reportOf(patch)
		var p map[string]any
		if report != nil && (json.Unmarshal(report, &p) != nil || p == nil) {
			t.Errorf("%q was answered by %q", patch, report)
		}
		if _, told := p["$version"]; told {
			t.Errorf("%q: the version goes back: %q", patch, report)
		}
	})
}

func FuzzMethodOf(f *testing.F) {
	f.Add("$iothub/methods/POST/reboot/?$rid=1")
	f.Add("$iothub/methods/POST//?$rid=")
	f.Fuzz(func(t *testing.T, topic string) {
		name, id, ok := methodOf(topic)
		if ok && !strings.HasSuffix(topic, name+"/?$rid="+id) {
			t.Errorf("%q read as %q and %q", topic, name, id)
		}
	})
}

package emulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Topics of IoT Hub's twin and direct methods (Azure: iot-hub-mqtt-support).
const (
	twinAnswers   = "$iothub/twin/res/#"
	twinGet       = "$iothub/twin/GET/"
	twinDesired   = "$iothub/twin/PATCH/properties/desired/"
	twinReported  = "$iothub/twin/PATCH/properties/reported/"
	methodCalls   = "$iothub/methods/POST/"
	methodAnswers = "$iothub/methods/res/"
)

// listen subscribes to twin and methods, where the device has them, and asks for
// its twin: the hub does not repeat what was desired while the device was away.
func (m *modem) listen(client mqtt.Client) {
	if m.twin {
		client.Subscribe(twinAnswers, 0, nil)
		client.Subscribe(twinDesired+"#", 0, nil)
		if !m.b.ignoresTwin {
			m.request(client, twinGet, nil)
		}
	}
	if len(m.methods) > 0 {
		client.Subscribe(methodCalls+"#", 0, nil)
	}
}

// request publishes to a twin topic, under the next request id.
func (m *modem) request(client mqtt.Client, topic string, payload []byte) {
	id := m.requests.Add(1)
	client.Publish(topic+"?$rid="+strconv.FormatInt(id, 10), 0, false, payload)
}

// diedBefore is how long after a task has died the rest of the firmware answers.
const diedBefore = 200 * time.Millisecond

// receive is a message of the hub.
func (m *modem) receive(client mqtt.Client, topic string, payload []byte) {
	m.log.Info("message from the hub", "topic", topic, "bytes", len(payload))
	switch {
	case strings.HasPrefix(topic, twinDesired) && m.twin && !m.b.ignoresTwin:
		if patch := reportOf(payload); patch != nil {
			if m.b.reports != nil {
				patch = []byte(m.b.reports(string(patch)))
			}
			m.request(client, twinReported, patch)
		}
	case strings.HasPrefix(topic, methodCalls) && m.b.crashesCalled:
		m.crash()
	case strings.HasPrefix(topic, methodCalls) && !m.b.ignoresMethods:
		name, id, ok := methodOf(topic)
		if !ok {
			return
		}
		status, answer := 404, []byte(`{}`)
		if slices.Contains(m.methods, name) {
			status, answer = 200, []byte(`{"uptime_ms":`+strconv.FormatInt(time.Since(m.boot).Milliseconds(), 10)+`}`)
		}
		if m.b.answers != nil && status == 200 {
			answer = []byte(m.b.answers(string(answer)))
		}
		if m.b.losesTask {
			m.tellReturn()
			sleepUntil(m.life, time.Now().Add(diedBefore))
		}
		client.Publish(methodAnswers+strconv.Itoa(status)+"/?$rid="+id, 0, false, answer)
	}
}

// reportOf makes of a desired patch the reported one that says: it is so now.
// What is no JSON object is not answered: nil.
func reportOf(patch []byte) []byte {
	var p map[string]json.RawMessage
	if err := json.Unmarshal(patch, &p); err != nil || p == nil {
		return nil
	}
	delete(p, "$version") // the hub counts its own
	data, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	return data
}

// methodOf reads "$iothub/methods/POST/{name}/?$rid={id}".
func methodOf(topic string) (name, id string, ok bool) {
	name, id, ok = strings.Cut(strings.TrimPrefix(topic, methodCalls), "/?$rid=")
	return name, id, ok && name != "" && id != ""
}

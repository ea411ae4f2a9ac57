package broker_test

import (
	"testing"
	"time"

	"hilrig/azure/broker"
	"hilrig/azure/hub"
	"hilrig/peers/brokers"
)

// Brokers that nobody here wrote, each with what its observer can see. MQTT 5 is
// asked for first, and each of these says no to it in its own way.
func TestOtherBrokers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start func(t testing.TB, user, password string) *brokers.Broker
		sees  hub.Listening
		lying bool // also what lay on the topic before
	}{
		"Aedes": {brokers.Aedes, hub.Listening{Protocol: "MQTT 3.1.1", QoS: 2}, true},
		// It hands on what lies on a topic only to who subscribes without a wildcard.
		"RabbitMQ": {brokers.RabbitMQ, hub.Listening{Protocol: "MQTT 3.1.1", QoS: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := c.start(t, "rig", "sesame")
			d := connectDevice(t, m, nil, "rig", "sesame")
			d.send(t, topic, 1, true, "of yesterday")
			h := open(t, config(m, broker.Observer{User: "rig", Password: "sesame"}), setup())
			if how, ok := h.Events().Listening(); !ok || how != c.sees {
				t.Errorf("%+v, want %+v\n%s", how, c.sees, m.Log())
			}
			if missed := h.Events().Missed(time.Now(), time.Now()); missed != nil {
				t.Errorf("could miss something: %v", missed)
			}
			if c.lying {
				await(t, h, 0, "what lay there", func(e hub.Event) bool {
					return e.Kind == hub.KindLeftover && string(e.Message.Payload) == "of yesterday"
				})
			}
			for qos := range c.sees.QoS + 1 {
				payload := string('0' + qos)
				d.send(t, topic, qos, false, payload)
				if e := await(t, h, 0, payload, message(payload)); e.Message.QoS != qos || e.Message.Topic != topic {
					t.Errorf("%s came as %+v", payload, e.Message)
				}
			}
			refused(t, config(m, broker.Observer{User: "rig", Password: "guess"}), "not know the observer")

			m.Kill()
			gap := await(t, h, 0, "the gap", kind(hub.KindGap))
			m.Start()
			back := await(t, h, gap.Seq, "its return", kind(hub.KindListening))
			for _, e := range h.Events().Since(0) {
				if e.Telemetry() && string(e.Message.Payload) == "of yesterday" {
					t.Error("what lay there is counted")
				}
			}
			connectDevice(t, m, nil, "rig", "sesame").send(t, topic, 1, false, "after it")
			await(t, h, back.Seq, "a message", message("after it"))
		})
	}
}

// A broker that takes nobody because its disk is full is named for it.
func TestABrokerWithoutRoom(t *testing.T) {
	t.Parallel()
	m := brokers.RabbitMQWithoutRoom(t, "rig", "sesame")
	refused(t, config(m, broker.Observer{User: "rig", Password: "sesame"}), "is the broker's disk or memory full")
}

package emulator

import (
	"encoding/binary"
	"time"
)

// sessionFaults are wrong in the MQTT session.
func sessionFaults() []Fault {
	return []Fault{
		{
			Name: "mqtt31", Doc: "speaks MQTT 3.1",
			Stands:   "emqx/mqtt-jmeter#21: MQIsdp is not answered",
			CaughtBy: specs("session/protocol"), Words: specs("MQIsdp"),
			apply: func(b *behaviour) { b.level = 3 },
		},
		{
			Name: "mqtt5", Doc: "speaks MQTT 5",
			Stands:   "Azure-Samples/IoTMQTTSample#8",
			CaughtBy: specs("session/protocol"), Words: specs("level 5"),
			apply: sends(announceLevel5),
		},
		{
			Name: "wrong-client-id", Doc: "connects with a client id of its own",
			Stands:   "HCPBridgeMqtt PR#71; knolleary/pubsubclient#129",
			CaughtBy: specs("session/client-id"), Words: specs("client id"),
			apply: func(b *behaviour) { b.clientID = "{id}-1" },
		},
		{
			Name: "user-name-without-version", Doc: "leaves the api-version out of its user name",
			Stands:   "the guide's own screen, which cuts it off; Xinyuan-LilyGO/T-SIM7600X#100",
			CaughtBy: specs("session/user-name"), Words: specs("api-version"),
			apply: func(b *behaviour) { b.userName = "{hub}/{id}" },
		},
		{
			Name: "sends-password", Doc: "sends a password beside its certificate",
			Stands:   "Edge Hub takes it for a token and ignores the certificate",
			CaughtBy: specs("session/no-password"), Words: specs("password"),
			apply: func(b *behaviour) { b.password = "secret" },
		},
		{
			Name: "keep-alive-zero", Doc: "asks for keep-alive 0",
			Stands:   "mqttjs/MQTT.js#144: a dead peer is never noticed",
			CaughtBy: specs("session/keep-alive"), Words: specs("keep-alive 0"),
			apply: func(b *behaviour) { b.keepAlive = func(time.Duration) time.Duration { return 0 } },
		},
		{
			Name: "keep-alive-huge", Doc: "asks for a keep-alive of three hours",
			Stands:   "beyond the 1177 s that IoT Hub's load balancer allows",
			CaughtBy: specs("session/keep-alive"), Words: specs("above"),
			apply: func(b *behaviour) { b.keepAlive = func(time.Duration) time.Duration { return 3 * time.Hour } },
		},
		{
			Name: "no-ping", Doc: "never pings",
			Stands:   "espMqttClient and others: the timer is never started",
			CaughtBy: specs("session/pings"), Words: specs("keep-alive idle"),
			apply: func(b *behaviour) { b.pings.off = true },
		},
		{
			Name: "ping-suppressed-by-inbound", Doc: "does not ping while it receives",
			Stands:   "eclipse-paho/paho.mqtt.c#1277",
			CaughtBy: specs("session/pings"), Words: specs("keep-alive receiving"),
			apply: func(b *behaviour) { b.pings.byInbound = true },
		},
		{
			Name: "ignores-missing-pingresp", Doc: "does not miss the answer to a ping",
			Stands:   "mqttjs/MQTT.js#144; emqx/qmqtt PR#140",
			CaughtBy: specs("session/ping-unanswered"), Words: specs("PINGREQ open"),
			apply: func(b *behaviour) { b.pings.deaf = true },
		},
		{
			Name: "impatient-pingresp", Doc: "gives up a quarter of its keep-alive after a ping",
			Stands:   "eclipse-paho/paho.mqtt.c#570",
			CaughtBy: specs("session/late-pingresp"), Words: specs("PINGREQ ended"),
			apply: func(b *behaviour) { b.pings.answer = 0.25 },
		},
		{
			Name: "self-takeover", Doc: "connects over its own living session",
			Stands:   "marvinroger/async-mqtt-client#248",
			CaughtBy: specs("session/no-self-takeover"), Words: specs("living session"),
			apply: func(b *behaviour) { b.takesOver = true },
		},
		{
			Name: "illegal-will", Doc: "has a will with a topic that IoT Hub does not know",
			Stands:   "arendst/Tasmota#11771",
			CaughtBy: specs("session/will"), Words: specs("will tele/"),
			apply: func(b *behaviour) { b.will = "tele/{id}/LWT" },
		},
		{
			Name: "subscribe-many", Doc: "subscribes to six filters",
			Stands:   "IoT Hub takes five",
			CaughtBy: specs("session/subscribe"), Words: specs("filters"),
			apply: func(b *behaviour) {
				b.filters = append(b.filters, "$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#",
					"$iothub/methods/POST/#", "devices/{id}/messages/devicebound/a/#", "devices/{id}/messages/devicebound/b/#")
			},
		},
		{
			Name: "ignores-missing-suback", Doc: "does not miss the answer to its SUBSCRIBE",
			Stands:   "AWS Device Advisor's Subscribe Retry - No SUBACK; eclipse-paho/paho.mqtt.c#221: deaf after a reconnect",
			CaughtBy: specs("session/no-suback"), Words: specs("SUBACK deaf"),
			apply: func(b *behaviour) { b.ignoresSuback = true },
		},
		{
			Name: "packet-id-zero", Doc: "publishes with packet id 0",
			Stands:   "eclipse-paho/paho.mqtt.java#85: ids out of order",
			CaughtBy: specs("session/conformance"), Words: specs("MQTT-2.3.1-1 PUBLISH"),
			apply: func(b *behaviour) { sends(clearID)(b); b.in = append(b.in, restoreID) },
		},
		{
			Name: "second-connect", Doc: "sends a second CONNECT in its session",
			Stands:   "marvinroger/async-mqtt-client#248: connects while connected",
			CaughtBy: specs("session/conformance"), Words: specs("MQTT-3.1.0-2 CONNECT"),
			apply: func(b *behaviour) { b.in = append(b.in, connectAgain) },
		},
		{
			Name: "dup-on-first", Doc: "sets DUP on messages that it sends for the first time",
			Stands:   "eclipse-paho/paho.mqtt.java#85: DUP on the wrong message",
			CaughtBy: specs("session/conformance"), Words: specs("MQTT-4.3.2-1 DUP"),
			apply: sends(publishWith(flagDup)),
		},
	}
}

// sends adds what a fault does to packets on their way out.
func sends(e edit) func(*behaviour) {
	return func(b *behaviour) { b.out = append(b.out, e) }
}

// publishWith sets flags of every PUBLISH of telemetry; twin and methods are
// spoken at QoS 0.
func publishWith(flags byte) edit {
	return func(_ *packetConn, p *packet) bool {
		if p.kind() == kindPublish && p.qos() > 0 {
			p.head |= flags
		}
		return true
	}
}

// announceLevel5 makes paho's CONNECT one of MQTT 5 (3.1.2.2): its level, and
// an empty list of properties behind the keep-alive.
func announceLevel5(_ *packetConn, p *packet) bool {
	if p.kind() == kindConnect {
		level := 2 + int(binary.BigEndian.Uint16(p.body))
		p.body[level] = 5
		properties := level + 4
		p.body = append(p.body[:properties:properties], append([]byte{0}, p.body[properties:]...)...)
	}
	return true
}

func clearID(_ *packetConn, p *packet) bool {
	if id := p.id(); id != nil && p.kind() == kindPublish {
		clear(id)
	}
	return true
}

// restoreID gives paho the id back that clearID has taken.
func restoreID(w *packetConn, p *packet) bool {
	if p.kind() == kindPuback {
		copy(p.id(), w.lastID)
	}
	return true
}

// connectAgain sends the CONNECT once more after the first acknowledgement.
func connectAgain(w *packetConn, p *packet) bool {
	if p.kind() == kindPuback && !w.state.twice {
		w.state.twice = true
		_, _ = w.Conn.Write(w.connect) // the hub's reaction shows what became of it
	}
	return true
}

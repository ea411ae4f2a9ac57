package emulator

import "time"

// mqttFaults are wrong in session, delivery or recovery.
func mqttFaults() []Fault {
	zero, huge, none := time.Duration(0), 3*time.Hour, time.Duration(0)
	return []Fault{
		{"mqtt31", "speaks MQTT 3.1", "MQTT.js#652; LilyGo-Modem-Series#125", specs("session/protocol"), specs("MQIsdp"), func(b *behaviour) { b.level = 3 }},
		{"mqtt5", "speaks MQTT 5", "IoTMQTTSample#8", specs("session/protocol"), specs("level 5"), func(b *behaviour) { b.level = 5 }},
		{"wrong-client-id", "connects with a client id of its own", "HCPBridgeMqtt PR#71", specs("session/client-id"), specs("client id"), func(b *behaviour) { b.clientIDSuffix = "-1" }},
		{"user-name-without-version", "leaves the api-version out of its user name", "the guide's screen shows it so", specs("session/user-name"), specs("api-version"), func(b *behaviour) { b.userName = "{hub}/{id}" }},
		{"sends-password", "sends a password beside its certificate", "Edge Hub takes it for a token", specs("session/no-password"), specs("password"), func(b *behaviour) { b.password = "secret" }},
		{"keep-alive-zero", "asks for keep-alive 0", "mqttjs/MQTT.js#144", specs("session/keep-alive"), specs("keep-alive 0"), func(b *behaviour) { b.keepAlive = &zero }},
		{"keep-alive-huge", "asks for a keep-alive of three hours", "azure-iot-arduino#60", specs("session/keep-alive"), specs("above"), func(b *behaviour) { b.keepAlive = &huge }},
		{"self-takeover", "connects over its own living session", "async-mqtt-client#248", specs("session/no-self-takeover"), specs("living session"), func(b *behaviour) { b.selfTakeover = true }},
		{"illegal-will", "has a will with an illegal topic", "arendst/Tasmota#11771", specs("session/will"), nil, func(b *behaviour) { b.willTopic = "tele/{id}/LWT" }},
		{"no-publish", "never publishes", "firmware that waits for a sensor", specs("delivery/first-message"), specs("telemetry"), func(b *behaviour) { b.neverPublishes = true }},
		{"wrong-topic", "publishes to a topic of its own", "eclipse/mosquitto#1446; azure-docs#93606", specs("delivery/topic"), specs("topic"), func(b *behaviour) { b.topic = "sensors/{id}/temperature" }},
		{"qos2", "publishes with QoS 2", "Azure: the hub closes the connection", specs("delivery/qos"), specs("QoS 2"), func(b *behaviour) { b.qos = 2 }},
		{"retained", "publishes with RETAIN", "arendst/Tasmota#11771", specs("delivery/retain"), specs("RETAIN"), func(b *behaviour) { b.retain = true }},
		{"oversize", "publishes 300 kB at once", "Azure: 256 kB", specs("delivery/size"), specs("262144"), func(b *behaviour) { b.pad = 300_000 }},
		{"corrupt-payload", "mixes its topic into the payload", "espressif/esp-mqtt#136", specs("delivery/payload"), specs("not JSON"), func(b *behaviour) { b.corrupt = true }},
		{"loses-messages", "loses every fourth message", "a queue that is overwritten", specs("delivery/no-loss"), specs("missing"), func(b *behaviour) { b.loseEvery = 4 }},
		{"duplicates", "sends every third message twice", "wolfMQTT#500", specs("delivery/no-duplicates"), specs("twice"), func(b *behaviour) { b.doubleEvery = 3 }},
		{"reorders", "sends two messages the wrong way round", "two tasks that publish", specs("delivery/order"), specs("after number"), func(b *behaviour) { b.swapEvery = 3 }},
		{"drifting-interval", "publishes five times too seldom", "timers in ticks of another clock", specs("delivery/interval"), specs("interval"), func(b *behaviour) { b.stretch = 5 }},
		{"stalls", "publishes three messages and no more", "bertmelis/espMqttClient#163", specs("delivery/no-loss"), nil, func(b *behaviour) { b.stallAfter = 3 }},
		{"gives-up-when-refused", "stops for good once it was refused", "kbialek/deye-inverter-mqtt PR#298", specs("session/refused"), nil, func(b *behaviour) { b.giveUpWhenRefused = true }},
		{"never-reconnects", "stays away once its session is lost", "async-mqtt-client#248", specs("recovery/server-disconnect"), specs("connection"), func(b *behaviour) { b.neverBack = true }},
		{"reconnect-storm", "reconnects without a pause", "TheThingsArchive/ttn#112: 25 ms", specs("recovery/server-disconnect"), specs("pause"), func(b *behaviour) { b.retry = retry{first: ms(20), most: ms(20), growth: 1} }},
		{"constant-retry", "reconnects at a constant gap", "mlesniew/PicoMQTT#74", specs("recovery/backoff"), nil, func(b *behaviour) { b.retry = retry{first: 2 * time.Second, most: 2 * time.Second, growth: 1} }},
		{"exponential-without-jitter", "backs off without jitter", "AMRC-FactoryPlus#167", specs("recovery/backoff"), nil, func(b *behaviour) { b.retry.jitter = 0 }},
		{"storm-after-takeover", "does not back off when dropped after CONNACK", "espressif/esp-rainmaker-neo-firmware#1", specs("recovery/takeover-backoff"), nil, func(b *behaviour) { b.retry.afterKick = &none }},
		{"subscribe-many", "subscribes to six filters", "Azure: five at most", specs("session/subscribe"), nil, func(b *behaviour) {
			b.filters = []string{"devices/{id}/messages/devicebound/#", "$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#", "a/#", "b/#"}
		}},
	}
}

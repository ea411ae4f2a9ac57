package emulator

import (
	"strings"
	"time"
)

// deliveryFaults are wrong in the telemetry.
func deliveryFaults() []Fault {
	return []Fault{
		{
			Name: "no-publish", Doc: "never publishes",
			Stands:   "firmware that waits for a sensor that is not there",
			CaughtBy: specs("delivery/first-message"), Words: specs("telemetry"),
			apply: func(b *behaviour) { b.noPublish = true },
		},
		{
			Name: "wrong-topic", Doc: "publishes to a topic of its own",
			Stands:   "eclipse/mosquitto#1446; azure-docs#93606",
			CaughtBy: specs("delivery/topic"), Words: specs("topic"),
			apply: func(b *behaviour) { b.topic = "sensors/{id}/temperature" },
		},
		{
			Name: "qos2", Doc: "publishes with QoS 2",
			Stands:   "IoT Hub closes the connection",
			CaughtBy: specs("delivery/qos"), Words: specs("QoS 2"),
			apply: func(b *behaviour) { b.qos = 2 },
		},
		{
			Name: "retained", Doc: "publishes with RETAIN",
			Stands:   "arendst/Tasmota#11771",
			CaughtBy: specs("delivery/retain"), Words: specs("RETAIN"),
			apply: sends(publishWith(flagRetain)),
		},
		{
			Name: "oversize", Doc: "publishes 300 kB at once",
			Stands:   "wolfMQTT PR#162: no limit on what is sent; IoT Hub takes 256 kB",
			CaughtBy: specs("delivery/size"), Words: specs("262144"),
			apply: func(b *behaviour) { b.payload = padded },
		},
		{
			Name: "corrupt-payload", Doc: "mixes its topic into the payload",
			Stands:   "espressif/esp-mqtt#136",
			CaughtBy: specs("delivery/payload"), Words: specs("not JSON"),
			apply: func(b *behaviour) { b.payload = corrupted },
		},
		{
			Name: "not-utf8", Doc: "writes the unit of its temperature in Latin-1",
			Stands:   "RFC 8259 8.1: a degree sign of the display's font; every reader makes something else of it",
			CaughtBy: specs("delivery/payload"), Words: specs("UTF-8 b0"),
			apply: func(b *behaviour) { b.payload = withUnit("\xb0C") },
		},
		{
			Name: "duplicate-name", Doc: "has one name twice in its payload",
			Stands:   "RFC 8259 4: two parts of the firmware add their field to one buffer",
			CaughtBy: specs("delivery/payload"), Words: specs("/temperature twice"),
			apply: func(b *behaviour) { b.payload = temperatureTwice },
		},
		{
			Name: "twin-not-utf8", Doc: "reports properties of its twin in Latin-1",
			Stands:   "RFC 8259 8.1: a site name as the installer typed it",
			CaughtBy: specs("delivery/twin"), Words: specs("UTF-8 fc"),
			apply: func(b *behaviour) { b.reports = func(string) string { return "{\"site\":\"Z\xfcrich\"}" } },
		},
		{
			Name: "twin-name-twice", Doc: "reports one property twice in a patch of its twin",
			Stands:   "RFC 8259 4: which of the two the back end sees, nobody knows",
			CaughtBy: specs("delivery/twin"), Words: specs("/interval twice"),
			apply: func(b *behaviour) {
				b.reports = func(string) string { return `{"interval":1,"interval":2}` }
			},
		},
		{
			Name: "method-not-utf8", Doc: "answers direct methods in Latin-1",
			Stands:   "RFC 8259 8.1: a text of the device's display in an answer",
			CaughtBy: specs("delivery/direct-method"), Words: specs("UTF-8 b0"),
			apply: func(b *behaviour) { b.answers = func(string) string { return "{\"reading\":\"21 \xb0C\"}" } },
		},
		{
			Name: "method-name-twice", Doc: "has one name twice in its answer to direct methods",
			Stands:   "RFC 8259 4: an answer that is put together from a template and a result",
			CaughtBy: specs("delivery/direct-method"), Words: specs("/status twice"),
			apply: func(b *behaviour) { b.answers = func(string) string { return `{"status":0,"status":1}` } },
		},
		{
			Name: "loses-messages", Doc: "loses every fourth message",
			Stands:   "a queue that is overwritten while the radio is busy",
			CaughtBy: specs("delivery/no-loss soak/steady"), Words: specs("missing"),
			apply: func(b *behaviour) { b.numbers = skipEveryFourth },
		},
		{
			Name: "duplicates", Doc: "sends every third message twice",
			Stands:   "MQTT.js#692: kept after its acknowledgement",
			CaughtBy: specs("delivery/no-duplicates"), Words: specs("twice"),
			apply: func(b *behaviour) { b.numbers = repeatEveryThird },
		},
		{
			Name: "repeats-last", Doc: "sends its last message again after each reconnect, though it was acknowledged",
			Stands:   "a last value that is kept for the next session, and sent whether it is needed or not: counted twice at each cut",
			CaughtBy: specs("delivery/no-duplicates"), Words: specs("again acknowledged"),
			apply: func(b *behaviour) { b.repeatsLast = true },
		},
		{
			Name: "reorders", Doc: "sends two messages the wrong way round",
			Stands:   "two tasks that publish",
			CaughtBy: specs("delivery/order"), Words: specs("after number"),
			apply: func(b *behaviour) { b.numbers = swapEveryThird },
		},
		{
			Name: "drifting-interval", Doc: "publishes five times too seldom",
			Stands:   "timers in ticks of another clock",
			CaughtBy: specs("delivery/interval"), Words: specs("interval"),
			apply: func(b *behaviour) { b.stretch = 5 },
		},
		{
			Name: "stalls", Doc: "publishes three messages and no more",
			Stands:   "bertmelis/espMqttClient#163: the queue is full",
			CaughtBy: specs("delivery/no-loss"),
			apply:    func(b *behaviour) { b.stallAfter = 3 },
		},
		{
			Name: "resend-without-dup", Doc: "sends an unacknowledged message again without DUP",
			Stands:   "espressif/esp-mqtt#151; wolfMQTT#500",
			CaughtBy: specs("delivery/unacknowledged"), Words: specs("DUP"),
			apply: sends(publishWithoutDup),
		},
		{
			Name: "never-resends", Doc: "forgets an unacknowledged message with its connection",
			Stands:   "arduino clients that have QoS 1 in name only",
			CaughtBy: specs("delivery/unacknowledged"), Words: specs("PUBACK"),
			apply: func(b *behaviour) { b.forgetsUnacked = true },
		},
		{
			Name: "no-puback", Doc: "does not acknowledge messages of the hub",
			Stands:   "library-facts: a message without a handler is never acknowledged",
			CaughtBy: specs("delivery/cloud-to-device"), Words: specs("PUBACK"),
			apply: sends(func(_ *packetConn, p *packet) bool { return p.kind() != kindPuback }),
		},
		{
			Name: "loses-stored", Doc: "loses what the hub sends in the first second of a session",
			Stands:   "smallrye#1935, Azure/azure-iot-sdk-python-preview PR#50: messages before anybody listens",
			CaughtBy: specs("delivery/stored-message"), Words: specs("waited"),
			apply: func(b *behaviour) { b.in = append(b.in, loseFirst) },
		},
		{
			Name: "inbound-over-237-kills", Doc: "loses its connection over a message above 237 bytes",
			Stands:   "256dpi/esp-mqtt#19; TinyMqtt#14",
			CaughtBy: specs("delivery/cloud-to-device-sizes"), Words: specs("bytes"),
			apply: func(b *behaviour) { b.in = append(b.in, dieOfLong) },
		},
		{
			Name: "twin-ignored", Doc: "subscribes to its twin, never asks for it and reports nothing",
			Stands:   "firmware that got as far as the subscription",
			CaughtBy: specs("delivery/twin"), Words: specs("twin"),
			apply: func(b *behaviour) { b.ignoresTwin = true },
		},
		{
			Name: "method-ignored", Doc: "subscribes to direct methods and answers none",
			Stands:   "a handler that was never registered: the caller waits for its time limit",
			CaughtBy: specs("delivery/direct-method"), Words: specs("method"),
			apply: func(b *behaviour) { b.ignoresMethods = true },
		},
		{
			Name: "crashes-in-the-middle", Doc: "crashes when a direct method is called, and boots",
			Stands:   "a handler that writes through a null pointer: what is asked is not answered, and the cause is on the console",
			CaughtBy: specs("delivery/direct-method"), Words: []string{"restarted by itself", "SW_CPU_RESET"},
			apply: func(b *behaviour) {
				b.crashesCalled, b.boot = true, ms(300)
				b.banner = []string{"ets Jul 29 2019 12:21:46", "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)"}
			},
		},
		{
			Name: "loses-a-task", Doc: "says that a task of it died when a direct method is called, and goes on without it",
			Stands:   "an RTOS that ends one task for an allocation that failed: what is asked today still works",
			CaughtBy: specs("delivery/direct-method"), Words: []string{"boot.death", "task telemetry died"},
			apply: func(b *behaviour) { b.losesTask = true },
		},
	}
}

func padded(m *modem, r reading) []byte {
	data := m.asJSON(r)
	return append(data[:len(data)-1], `,"pad":"`+strings.Repeat("x", 300_000)+`"}`...)
}

func corrupted(m *modem, r reading) []byte {
	data := m.asJSON(r)
	copy(data, m.fill(m.b.topic)[:8])
	return data
}

func withUnit(unit string) func(*modem, reading) []byte {
	return func(m *modem, r reading) []byte {
		data := m.asJSON(r)
		return append(data[:len(data)-1], `,"unit":"`+unit+`"}`...)
	}
}

func temperatureTwice(m *modem, r reading) []byte {
	data := m.asJSON(r)
	return append(data[:len(data)-1], `,"temperature":0}`...)
}

func skipEveryFourth(next int64) ([]int64, int64) {
	if next%4 == 0 {
		next++
	}
	return []int64{next}, next + 1
}

func repeatEveryThird(next int64) ([]int64, int64) {
	if next%3 == 0 {
		return []int64{next, next}, next + 1
	}
	return oneByOne(next)
}

func swapEveryThird(next int64) ([]int64, int64) {
	if next%3 == 0 {
		return []int64{next + 1, next}, next + 2
	}
	return oneByOne(next)
}

func publishWithoutDup(_ *packetConn, p *packet) bool {
	if p.kind() == kindPublish {
		p.head &^= flagDup
	}
	return true
}

func dieOfLong(w *packetConn, p *packet) bool {
	if p.kind() == kindPublish && len(p.body) > 237 {
		go w.fail(stackError{"message too long for the buffer"})
		return false
	}
	return true
}

// loseFirst swallows messages that come before the application has its handler.
func loseFirst(w *packetConn, p *packet) bool {
	return p.kind() != kindPublish || time.Since(w.state.connack) > time.Second
}

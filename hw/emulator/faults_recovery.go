package emulator

import "time"

// recoveryFaults are wrong when something else goes wrong.
func recoveryFaults() []Fault {
	return []Fault{
		{
			Name: "gives-up-when-refused", Doc: "stops for good once it was refused",
			Stands:   "marvinroger/async-mqtt-client#248: stuck",
			CaughtBy: specs("session/refused"), Words: specs("CONNACK 1,"),
			apply: func(b *behaviour) { b.retry.notRefused = true },
		},
		{
			Name: "renames-when-refused", Doc: "tries another client id once its own was refused",
			Stands:   "clients that draw a new id after CONNACK 2: a hub that knows devices by their id never has it back",
			CaughtBy: specs("session/refused"), Words: specs("NewDevice-1 NewDevice"),
			apply: func(b *behaviour) { b.renamesRefused = "{id}-1" },
		},
		{
			Name: "connects-on-without-connack", Doc: "publishes without waiting for CONNACK",
			Stands:   "clients that take a TCP connection for a session",
			CaughtBy: specs("session/no-connack"), Words: specs("CONNACK answered"),
			apply: func(b *behaviour) { b.assumesConnack = ms(300) },
		},
		{
			Name: "hangs-when-provisioned", Doc: "hangs once it has its three files, console and all, until its power is cut",
			Stands:   "two tasks that wait for each other's lock when the identity changes, and no watchdog",
			CaughtBy: specs("session/client-id"), Words: specs("hung power silent"),
			apply: func(b *behaviour) { b.hangsOnSet = true },
		},
		{
			Name: "never-reconnects", Doc: "stays away once its session is lost",
			Stands:   "marvinroger/async-mqtt-client#248; espressif/esp-azure#100",
			CaughtBy: specs("recovery/server-disconnect recovery/connection-cut soak/intermittent"), Words: specs("connection"),
			apply: func(b *behaviour) { b.retry.never = true },
		},
		{
			Name: "reconnect-storm", Doc: "reconnects without a pause",
			Stands:   "TheThingsArchive/ttn#112: every 25 ms",
			CaughtBy: specs("recovery/server-disconnect"), Words: specs("pause"),
			apply: func(b *behaviour) { b.retry = retry{first: ms(20), most: ms(20), growth: 1} },
		},
		{
			Name: "constant-retry", Doc: "reconnects at a constant gap of two seconds",
			Stands:   "mlesniew/PicoMQTT#74",
			CaughtBy: specs("recovery/backoff"), Words: []string{"do not grow"},
			apply: func(b *behaviour) { b.retry = retry{first: 2 * time.Second, most: 2 * time.Second, growth: 1} },
		},
		{
			Name: "constant-half-jitter", Doc: "reconnects at a constant gap of a second, half of it either way",
			Stands:   "jitter without a backoff: a herd all the same",
			CaughtBy: specs("recovery/backoff"), Words: []string{"do not grow"},
			apply: func(b *behaviour) { b.retry = retry{first: ms(500), most: ms(500), growth: 1, jitter: 2} },
		},
		{
			Name: "exponential-without-jitter", Doc: "backs off without jitter",
			Stands:   "AMRC-FactoryPlus#167: a herd after an outage",
			CaughtBy: specs("recovery/backoff recovery/takeover-backoff"), Words: []string{"without jitter"},
			apply: func(b *behaviour) { b.retry.jitter = 0 },
		},
		{
			Name: "storm-after-takeover", Doc: "does not back off when it is dropped after CONNACK",
			Stands:   "espressif/esp-rainmaker-neo-firmware#1",
			CaughtBy: specs("recovery/takeover-backoff"), Words: []string{"no pause"},
			apply: func(b *behaviour) { b.retry.afterSession = ms(20) },
		},
		{
			Name: "backoff-never-starts-over", Doc: "backs off longer from failure to failure, up to six seconds, whatever session was in between",
			Stands:   "a count of failures that is set back at boot alone: an outage of seconds silences it for its longest pause, months later",
			CaughtBy: specs("session/no-connack recovery/backoff recovery/takeover-backoff"), Words: []string{"start over", "stood for 60 s"},
			apply: func(b *behaviour) { b.retry.neverOver, b.retry.growth, b.retry.most = true, 2, 6*time.Second },
		},
		{
			Name: "half-open-blind", Doc: "never notices that the hub is gone",
			Stands:   "mqttjs/MQTT.js#144, PR#387",
			CaughtBy: specs("recovery/black-hole"), Words: specs("silent"),
			apply: func(b *behaviour) {
				b.pings.deaf = true
				b.patience = func(time.Duration) time.Duration { return 0 }
			},
		},
		{
			Name: "dies-in-handshake-cut", Doc: "never connects again after a handshake that was cut",
			Stands:   "espressif/esp-aws-iot#29",
			CaughtBy: specs("recovery/cut-in-handshake"), Words: specs("handshake"),
			apply: func(b *behaviour) { b.retry.notCut = true },
		},
		{
			Name: "no-resubscribe", Doc: "subscribes once, also when the hub has forgotten the session",
			Stands:   "MQTT.js#895; eclipse-paho/paho.mqtt.c#221",
			CaughtBy: specs("recovery/session-present"), Words: specs("SUBSCRIBE"),
			apply: func(b *behaviour) { b.subscribesOnce = true },
		},
		{
			Name: "forgets-hub-after-restart", Doc: "never connects again once the hub's port was closed",
			Stands:   "kbialek/deye-inverter-mqtt PR#298: no reconnect after an outage",
			CaughtBy: specs("recovery/hub-restart recovery/long-outage"), Words: specs("hub away"),
			apply: func(b *behaviour) { b.retry.notDown = true },
		},
		{
			Name: "stalls-on-slow-link", Doc: "publishes nothing over a link on which CONNACK takes half a second",
			Stands:   "azure-iot-arduino#60: time limits made on a desk",
			CaughtBy: specs("recovery/slow-link"), Words: []string{"telemetry over a slow link"},
			apply: func(b *behaviour) { b.slowLimit = ms(500) },
		},
		{
			Name: "leaks-per-reconnect", Doc: "takes 200 ms longer for each connection",
			Stands:   "esp-mqtt#25, arduino-mqtt#191: memory lost with each",
			CaughtBy: specs("soak/reconnect-100"), Words: specs("longer"),
			apply: func(b *behaviour) { b.retry.leak = ms(200) },
		},
		{
			Name: "reboots-when-cut", Doc: "crashes and boots anew whenever its connection is cut",
			Stands:   "a reset as the handler of every error: it comes back, and has lost what it had in memory",
			CaughtBy: specs("recovery/connection-cut"), Words: []string{"no restart but", "ADS-300 boot"},
			apply: func(b *behaviour) { b.crashesCut, b.boot, b.banner = true, ms(300), []string{bootSaid} },
		},
	}
}

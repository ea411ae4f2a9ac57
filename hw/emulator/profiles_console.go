package emulator

import "time"

// consoleProfiles are sound at the 9270 terminal and look unsound to whoever
// takes any word for an answer.
func consoleProfiles() []Profile {
	const loads = "provisioning/root provisioning/certificate provisioning/key "
	return []Profile{
		{
			Name: "boots-on-open", Doc: "boots for two seconds and more whenever its port is opened, in words that look like answers",
			Stands: "boards whose reset hangs on DTR: ESP32 DevKitC, Arduino",
			Specs:  specs(loads + "provisioning/persistent delivery/first-message recovery/power-cycle"),
			apply: func(b *behaviour) {
				b.bootsOnOpen, b.boot = true, 2400*time.Millisecond
				b.banner = []string{"", bootSaid, "ERROR: no SIM", "SEND FILE... is 9270,n", "wifi: up", "ERROR: no SIM", "ready soon"}
			},
		},
		{
			Name: "boots-in-silence", Doc: "boots for two seconds and more whenever its port is opened, and says nothing",
			Stands: "release builds without a boot log",
			Specs:  specs(loads + "provisioning/persistent delivery/first-message"),
			apply:  func(b *behaviour) { b.bootsOnOpen, b.boot = true, 2400*time.Millisecond },
		},
		{
			Name: "chatty-modem", Doc: "passes on what its modem says unasked, errors among it",
			Stands: "a modem's unsolicited result codes (3GPP TS 27.007 section 9.2) on the console",
			Specs:  specs(loads + "provisioning/replace provisioning/rejects-* provisioning/aborted-transfer provisioning/back-to-back provisioning/noise delivery/first-message"),
			apply: func(b *behaviour) {
				b.chatter = ms(40)
				b.log = []string{"+CME ERROR: 30", "TX_ERRORS=0 RX_ERRORS=2", "ERRORS: 0", "+CREG: 2", "ERROR_COUNT 17", "ERROR"}
			},
		},
		{
			Name: "painted", Doc: "paints its prompt and its answers with escape codes",
			Stands: "consoles on ESP-IDF's and Zephyr's shell",
			Specs:  specs(loads + "provisioning/rejects-garbage delivery/first-message"),
			apply: func(b *behaviour) {
				b.prompt = "\x1b[1;33mSEND FILE\x1b[0m...\x1b[K"
				b.okText = "\x1b[32m" + okText + "\x1b[0m"
			},
		},
		{
			Name: "xoff", Doc: "asks for pauses in its files by XOFF, and has room for what comes all the same",
			Stands: "consoles with software flow control left on",
			Specs:  specs(loads + "provisioning/back-to-back delivery/first-message"),
			apply:  func(b *behaviour) { b.perByte, b.rxRing, b.xoff = 200*time.Microsecond, 2*maxFile, 12 },
		},
	}
}

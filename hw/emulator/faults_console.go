package emulator

import "time"

const threeLoads = "provisioning/root provisioning/certificate provisioning/key"

// consoleFaults are wrong at the 9270 terminal.
func consoleFaults() []Fault {
	return []Fault{
		{"silent-ok", "stores every file and says nothing", "SIM7000-LTE-Shield#117: modems that do not answer every step", specs(threeLoads), specs("COMMAND PROCESSED OK"), func(b *behaviour) { b.silentOK = true }},
		{"late-ok", "says OK twenty seconds after the file", "modems that write flash before they answer", specs(threeLoads), specs("within"), func(b *behaviour) { b.store = 20 * time.Second }},
		{"ok-before-end", "says OK before the file has ended", "answers from a length guess instead of the end mark", specs(threeLoads), specs("before"), func(b *behaviour) { b.okBeforeEnd = true }},
		{"ok-without-storing", "says OK to a second identity and keeps the first", "LilyGo-Modem-Series#183: a download command broken by an update", specs("provisioning/replace"), specs("second identity"), func(b *behaviour) { b.firstOnly = true }},
		{"truncates-2k", "keeps the first 2,000 bytes of a file", "remne/p1ib#70: a field of 2,000 characters", specs("provisioning/long-certificate"), nil, func(b *behaviour) { b.keepBytes = 2000 }},
		{"needs-lf", "cannot use a file with carriage returns", "u-blox/ubxlib#242", specs("provisioning/line-endings"), nil, func(b *behaviour) { b.needs = "lf" }},
		{"drops-newlines", "loses line ends of two characters on the way into storage", "esp-idf#5177; amazon-freertos#3381", specs("provisioning/line-endings"), nil, func(b *behaviour) { b.needs = "newlines" }},
		{"needs-final-newline", "cannot use a file without a final newline", "jembi/openhim-console#65", specs("provisioning/line-endings"), nil, func(b *behaviour) { b.needs = "final-newline" }},
		{"counts-nul", "counts a terminating NUL that is not there", "espressif/esp-idf#17423", specs("provisioning/line-endings"), nil, func(b *behaviour) { b.needs = "nul" }},
		{"accepts-garbage", "says OK to a file that is no PEM", "no check before storing", specs("provisioning/rejects-garbage"), specs("no PEM"), func(b *behaviour) { b.acceptGarbage = true }},
		{"accepts-truncated", "says OK to a PEM file without its end", "no check before storing", specs("provisioning/rejects-truncated"), specs("END"), func(b *behaviour) { b.acceptCut = true }},
		{"accepts-wrong-kind", "says OK to a certificate in the key's slot", "no check before storing", specs("provisioning/rejects-wrong-kind"), specs("key's slot"), func(b *behaviour) { b.acceptKind = true }},
		{"accepts-any-slot", "says OK to slots that do not exist", "a command parser without a default", specs("provisioning/rejects-unknown-slot"), specs("9270,40"), func(b *behaviour) { b.acceptSlot = true }},
		{"swaps-slots", "presents what is in slot 10 as its own certificate", "two slots at one address", specs("provisioning/presented"), specs("thumbprint"), func(b *behaviour) { b.swapSlots = true }},
		{"accepts-mismatched-pair", "says OK to a key that does not fit", "Mbed-TLS/mbedtls#507", specs("provisioning/mismatched-pair"), nil, func(b *behaviour) { b.acceptPair = true }},
		{"no-pkcs8", "says OK to a PKCS#8 key and cannot use it", "espressif/esp-protocols#570", specs("provisioning/key-forms"), nil, func(b *behaviour) { b.noPKCS8 = true }},
		{"order-matters", "takes the files only as 10, 20, 30", "a state machine made from the guide's example", specs("provisioning/any-order"), nil, func(b *behaviour) { b.inOrder = true }},
		{"slow-console", "takes ten times as long as the line for every byte", "P10: consoles that must be written in chunks", specs("provisioning/line-rate provisioning/certificate"), nil, func(b *behaviour) { b.perByte, b.rxRing = ms(1)-ms(1)/8, maxFile }},
		{"stuck-after-abort", "never leaves a transfer that was cut short", "P21, P36: boards that must be power-cycled", specs("provisioning/aborted-transfer"), specs("aborted"), func(b *behaviour) { b.stuckAfterStop = true }},
		{"abort-wipes-identity", "loses its identity when a transfer is cut short", "erases before it writes", specs("provisioning/aborted-transfer"), specs("lost"), func(b *behaviour) { b.abortWipes = true }},
		{"overruns", "loses bytes at line rate", "kernelci-pipeline PR#626: input overruns", specs("provisioning/certificate"), nil, func(b *behaviour) { b.perByte, b.rxRing = 110*time.Microsecond, 64 }},
		{"false-ok-in-log", "prints an old OK among its log lines", "P13: log lines that split result markers", specs("provisioning/root"), specs("before"), func(b *behaviour) { b.falseOK = true }},
		{"prints-key", "prints the key it was given", "debug output left in", specs("provisioning/no-key-on-console"), specs("key"), func(b *behaviour) { b.printsKey = true }},
		{"forgets-identity", "loses its identity with its power", "identity kept in RAM", specs("provisioning/persistent"), nil, func(b *behaviour) { b.forgets = true }},
		{"half-written", "writes its storage in place", "no atomic replace", specs("provisioning/power-cut"), nil, func(b *behaviour) { b.halfWrites = true }},
		{"slow-boot", "takes a minute to boot", "file system checks at boot", specs("recovery/power-cycle"), nil, func(b *behaviour) { b.boot = time.Minute }},
	}
}

package emulator

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"time"
)

// consoleFaults are wrong at the 9270 terminal.
func consoleFaults() []Fault {
	return []Fault{
		{
			Name: "other-rate", Doc: "has its line at half the rate that is told",
			Stands:   "a label with another rate than the firmware has: nothing but odd characters",
			CaughtBy: specs("provisioning/root"), Words: specs("baud rate"),
			apply: func(b *behaviour) { b.otherRate = true },
		},
		{
			Name: "silent-ok", Doc: "stores every file and says nothing",
			Stands:   "botletics/SIM7000-LTE-Shield#117: a step of the conversion is not answered",
			CaughtBy: specs("provisioning/root"), Words: []string{"COMMAND PROCESSED OK"},
			apply: func(b *behaviour) { b.silentOK = []int{slotRoot, slotCertificate, slotKey} },
		},
		{
			Name: "silent-certificate", Doc: "stores its certificate and says nothing",
			Stands:   "a handler that returns before its last printf",
			CaughtBy: specs("provisioning/certificate"), Words: []string{"COMMAND PROCESSED OK"},
			apply: func(b *behaviour) { b.silentOK = []int{slotCertificate} },
		},
		{
			Name: "silent-key", Doc: "stores its private key and says nothing",
			Stands:   "a key store that answers to nobody",
			CaughtBy: specs("provisioning/key"), Words: []string{"COMMAND PROCESSED OK"},
			apply: func(b *behaviour) { b.silentOK = []int{slotKey} },
		},
		{
			Name: "late-ok", Doc: "says OK twenty seconds after the file",
			Stands:   "firmware that erases and writes its flash before it answers",
			CaughtBy: specs("provisioning/root"), Words: specs("within"),
			apply: func(b *behaviour) { b.store = exactly(20 * time.Second) },
		},
		{
			Name: "ok-before-end", Doc: "says OK before the file has ended",
			Stands:   "vshymanskyy/TinyGSM#437: reports more bytes than it has",
			CaughtBy: specs("provisioning/root"), Words: specs("before"),
			apply: func(b *behaviour) { b.earlyOK = 400 },
		},
		{
			Name: "ok-twice", Doc: "says OK twice to each file",
			Stands:   "a parser and a store that both report: a script that waits for OK is one file ahead from then on",
			CaughtBy: specs("provisioning/certificate provisioning/key"), Words: []string{"once more", "file before"},
			apply: func(b *behaviour) { b.okTwice = true },
		},
		{
			Name: "false-ok-in-log", Doc: "prints an old OK among its log lines while it takes a file",
			Stands:   "labgrid PR#1763, kernelci-project#147: log lines in the middle of result markers",
			CaughtBy: specs("provisioning/root provisioning/noise provisioning/rejects-garbage"), Words: specs("before"),
			apply: func(b *behaviour) { b.falseOK = 300 },
		},
		{
			Name: "accepts-any-slot", Doc: "says OK to slots that do not exist",
			Stands:   "a command parser without a default branch",
			CaughtBy: specs("provisioning/rejects-unknown-slot"), Words: specs("9270,40"),
			apply: func(b *behaviour) { b.anySlot = true },
		},
		{
			Name: "order-matters", Doc: "takes the files only as 10, 20, 30",
			Stands:   "Xinyuan-LilyGO/LilyGo-Modem-Series#183: steps that work in one sequence only",
			CaughtBy: specs("provisioning/any-order"), Words: []string{"order"},
			apply: func(b *behaviour) { b.inOrder = true },
		},
		{
			Name: "slow-console", Doc: "takes ten times as long as the line for every byte",
			Stands:   "labgrid 26.0, P10: consoles that must be written in chunks",
			CaughtBy: specs("provisioning/line-rate"),
			apply:    func(b *behaviour) { b.perByte, b.rxRing = 868*time.Microsecond, 2*maxFile },
		},
		{
			Name: "overruns", Doc: "loses bytes at line rate",
			Stands:   "kernelci-pipeline PR#626: ttyS0: input overrun(s)",
			CaughtBy: specs("provisioning/certificate provisioning/back-to-back"),
			apply:    func(b *behaviour) { b.perByte, b.rxRing = 110*time.Microsecond, 64 },
		},
		{
			Name: "needs-xoff", Doc: "loses bytes at line rate, and asks for a pause by XOFF before it does",
			Stands:   "firmware that counts on flow control which its line has not",
			CaughtBy: specs("provisioning/root"), Words: []string{"XOFF", "console.chunk"},
			apply: func(b *behaviour) { b.perByte, b.rxRing, b.xoff = 200*time.Microsecond, 64, 12 },
		},
		{
			Name: "overruns-unseen", Doc: "loses bytes at line rate, and says OK all the same",
			Stands:   "a UART whose overrun flag nobody reads, and a file that nobody checks: no connection, hours later",
			CaughtBy: specs("provisioning/root"), Words: specs("missing echo"),
			apply: func(b *behaviour) {
				b.perByte, b.rxRing, b.keepsStar = 110*time.Microsecond, 64, true
				for _, reason := range []string{notPEM, cut, wrongKind, noPair, unreadable} {
					b.accepts[reason] = true
				}
			},
		},
		{
			Name: "stuck-after-abort", Doc: "never comes back from a transfer that was cut short",
			Stands:   "boards that must be power-cycled after a pulled cable",
			CaughtBy: specs("provisioning/aborted-transfer"), Words: specs("aborted"),
			apply: func(b *behaviour) { b.stuckByCut = true },
		},
		{
			Name: "dies-in-silence", Doc: "never comes back from a file that stopped half a second ago",
			Stands:   "a time-out in a state that nobody ever tried: it leaves the file and not the mode",
			CaughtBy: specs("provisioning/aborted-transfer"), Words: specs("aborted silence"),
			apply: func(b *behaviour) { b.fileTimeout, b.diesWaiting = ms(500), true },
		},
		{
			Name: "dies-refusing", Doc: "never answers again once it was given a file that is no good",
			Stands:   "an error path of a parser that nobody ever tried: the console's task ends there, and telemetry goes on",
			CaughtBy: specs("provisioning/rejects-garbage"), Words: specs("since the transfer before"),
			apply: func(b *behaviour) { b.diesRefusing = true },
		},
		{
			Name: "wipes-on-time-out", Doc: "loses its identity when it gives a file up that stopped half a second ago",
			Stands:   "a clean-up that deletes what the file would have replaced",
			CaughtBy: specs("provisioning/aborted-transfer"), Words: specs("lost silence"),
			apply: func(b *behaviour) { b.fileTimeout, b.wipesWaiting = ms(500), true },
		},
		{
			Name: "prints-key", Doc: "prints the key it was given",
			Stands:   "debug output left in a certificate store",
			CaughtBy: specs("provisioning/no-key-on-console"), Words: specs("key"),
			apply: func(b *behaviour) { b.shows = asItIs },
		},
		{
			Name: "dumps-key-hex", Doc: "dumps the bytes of the key it was given in hex, with addresses and text beside them",
			Stands:   "ESP_LOG_BUFFER_HEXDUMP left in a certificate store",
			CaughtBy: specs("provisioning/no-key-on-console"), Words: specs("key hex"),
			apply: func(b *behaviour) { b.shows = func(key string) string { return hex.Dump(derOf(key)) } },
		},
		{
			Name: "dumps-key-der", Doc: "writes the bytes of the key it was given to its terminal",
			Stands:   "a file that is copied to the wrong stream",
			CaughtBy: specs("provisioning/no-key-on-console"), Words: specs("key bytes"),
			apply: func(b *behaviour) { b.shows = func(key string) string { return string(derOf(key)) + "\n" } },
		},
		{
			Name: "dumps-key-decimal", Doc: "prints the bytes of the key it was given as numbers",
			Stands:   "print(list(key)) of an interpreter on the device",
			CaughtBy: specs("provisioning/no-key-on-console"), Words: specs("key decimal"),
			apply: func(b *behaviour) { b.shows = func(key string) string { return fmt.Sprintln(derOf(key)) } },
		},
		{
			Name: "dumps-key-later", Doc: "prints its key whenever it connects again",
			Stands:   "a TLS stack with its debug level turned up, which reads the key anew for each connection",
			CaughtBy: specs("provisioning/no-key-on-console"), Words: specs("key"),
			apply: func(b *behaviour) { b.shows, b.showsLater = asItIs, true },
		},
		{
			Name: "console-dies-on-replug", Doc: "has no console any more once its cable was pulled",
			Stands:   "USB stacks that miss the second enumeration",
			CaughtBy: specs("recovery/replugged"), Words: specs("console plugged"),
			apply: func(b *behaviour) { b.diesUnplugged = true },
		},
		{
			Name: "slow-boot", Doc: "takes a minute and a half from power-on to its first connection, once it has an identity",
			Stands:   "espressif/esp-at#432: waits at boot for what may never come",
			CaughtBy: specs("recovery/power-cycle"), Words: specs("power-on"),
			apply: func(b *behaviour) { b.rejoin = 90 * time.Second },
		},
	}
}

func asItIs(key string) string { return key }

// derOf are the bytes that a PEM text stands for.
func derOf(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	return block.Bytes
}

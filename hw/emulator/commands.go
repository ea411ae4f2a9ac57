package emulator

import (
	"strconv"
	"strings"
)

// Version is what the device answers to VERSION, where nobody names another.
const Version = versionWord + "1.0.0"

const versionWord = "hilrig-emulator "

// noSlot is where firmware that takes any slot puts what it has no place for.
const noSlot = -1

// do works a command line. Only 9270 is in the guide; the rest is what a device
// of this kind may well have.
func (c *console) do(line string) {
	name, arg, _ := strings.Cut(line, ",")
	switch {
	case name == "9270":
		c.sendFile(arg)
	case line == "VERSION":
		c.answer(c.version)
	case line == "SERIAL":
		c.answer("serial EMU-" + c.modem.id)
	case line == "HELP":
		c.answer("9270,n VERSION SERIAL CONNECT REBOOT TELEMETRY HELP")
	case line == "CONNECT":
		if !c.store.Used.complete() {
			c.answer("ERROR: no identity")
			return
		}
		c.answer("OK")
		c.modem.use(c.store.Used, c.line.Sent())
	case line == "TELEMETRY OFF", line == "TELEMETRY ON":
		c.modem.paused.Store(line == "TELEMETRY OFF")
		c.answer("OK")
	case line == "REBOOT":
		c.answer("REBOOTING")
		c.end(c.b.rebootAfter)
	default:
		c.answer("ERROR")
	}
}

// sendFile begins to take a file.
func (c *console) sendFile(arg string) {
	slot, err := strconv.Atoi(arg)
	switch {
	case err == nil && (slot == slotRoot || slot == slotCertificate || slot == slotKey):
	case c.b.anySlot:
		slot = noSlot
	default:
		c.answer("ERROR")
		return
	}
	c.taking, c.slot, c.file = true, slot, c.file[:0]
	if c.b.echo {
		c.print(c.b.newline)
	}
	c.answer(c.b.prompt)
}

package emulator

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// console is the guide's terminal (section 4), byte for byte:
//
//	9270,10
//
//	SEND FILE...
//	-----BEGIN CERTIFICATE-----
//	…
//	*COMMAND PROCESSED OK
type console struct {
	b     *behaviour
	line  *uart
	store *storage
	log   *slog.Logger
	boot  time.Time

	applied func(whole bool) // a file was taken; whole: the set is in use now
	reboot  func()
	connect func()

	command []byte
	endedCR bool // the last line ended with CR: an LF behind it belongs to it
	slot    int  // 0: no file is being taken
	file    []byte
	at      time.Time // when the byte at hand came, in the line's own time
	began   time.Time // the same of the file's first byte
	stuck   bool
	in      receiver
}

// How long a file may pause before the firmware gives it up, and the largest.
const (
	fileTimeout = 30 * time.Second
	maxFile     = 16 << 10
)

// run works the terminal until ctx ends.
func (c *console) run(ctx context.Context) {
	var chatter <-chan time.Time
	if c.b.chatter > 0 {
		t := time.NewTicker(c.b.chatter)
		defer t.Stop()
		chatter = t.C
	}
	apply := time.NewTimer(time.Hour)
	defer apply.Stop()
	for {
		var silence <-chan time.Time
		if c.slot != 0 && !c.b.stuckAfterStop {
			silence = time.After(fileTimeout)
		}
		select {
		case in := <-c.line.rx:
			fetched, ok := c.in.take(in)
			if !ok {
				c.log.Warn("input overrun", "lost", c.in.lost)
				continue
			}
			if !until(ctx, fetched) {
				return
			}
			c.at = in.at
			c.take(ctx, in.c)
			apply.Reset(c.b.applyAfter)
		case <-silence:
			c.abort()
		case <-apply.C:
			if c.slot == 0 {
				c.applied(false)
			}
		case <-chatter:
			c.chat()
		case <-ctx.Done():
			return
		}
	}
}

// chat prints a log line in between, never inside an answer: answers are
// queued whole.
func (c *console) chat() {
	c.print(fmt.Sprintf("[%.3f] GSM: rssi=-%d%s", time.Since(c.boot).Seconds(), 60+time.Now().Nanosecond()%30, c.b.newline))
	if c.b.falseOK && c.slot != 0 {
		c.print("[log] last: COMMAND PROCESSED OK" + c.b.newline)
	}
}

func (c *console) print(s string) { c.line.send([]byte(s)) }

func (c *console) take(ctx context.Context, ch byte) {
	if ch == '\n' && c.endedCR {
		c.endedCR = false
		return
	}
	c.endedCR = false
	switch {
	case c.stuck:
	case c.slot != 0:
		c.takeFile(ctx, ch)
	case ch == '\r' || ch == '\n':
		c.endedCR = ch == '\r'
		line := strings.TrimSpace(string(c.command))
		c.command = c.command[:0]
		c.do(ctx, line)
	case len(c.command) < 128:
		c.command = append(c.command, ch)
		if c.b.echo {
			c.line.send([]byte{ch})
		}
	}
}

// do works a command line.
func (c *console) do(ctx context.Context, line string) {
	if c.b.echo {
		c.print("\r\n")
	}
	if line == "" {
		return
	}
	if !until(ctx, c.in.busy(c.b.think)) {
		return
	}
	nl := c.b.newline
	switch {
	case line == "9270" || strings.HasPrefix(line, "9270,"):
		slot, ok := c.parseSlot(line)
		if !ok {
			c.print("ERROR" + nl)
			return
		}
		c.slot, c.file = slot, c.file[:0]
		if c.b.echo {
			c.print("\r\n")
		}
		c.print("SEND FILE..." + nl)
	case line == "VERSION":
		c.print("hilrig-emulator 1.0.0" + nl)
	case line == "REBOOT":
		c.print("REBOOTING" + nl)
		c.reboot()
	case line == "CONNECT":
		c.print("OK" + nl)
		c.connect()
	case line == "HELP":
		c.print("9270,n  VERSION  REBOOT  CONNECT  HELP" + nl)
	default:
		c.print("ERROR" + nl)
	}
}

func (c *console) parseSlot(line string) (int, bool) {
	_, arg, _ := strings.Cut(line, ",")
	n, err := strconv.Atoi(arg)
	if err == nil && (n == slotRoot || n == slotCertificate || n == slotKey) {
		return n, true
	}
	if c.b.acceptSlot {
		return 1, true
	}
	return 0, false
}

func (c *console) takeFile(ctx context.Context, ch byte) {
	if c.b.echo {
		c.line.send([]byte{ch})
	}
	if len(c.file) == 0 {
		c.began = c.at
	}
	if ch == '*' {
		c.measure()
		c.endFile(ctx)
		return
	}
	if len(c.file) < maxFile {
		c.file = append(c.file, ch)
	}
	if c.b.okBeforeEnd && len(c.file) == 400 {
		c.print(c.b.newline + "COMMAND PROCESSED OK" + c.b.newline)
	}
	if c.b.falseOK && len(c.file) == 300 {
		c.print(c.b.newline + "[log] last: COMMAND PROCESSED OK" + c.b.newline)
	}
}

// measure logs how fast a file came: what the wire really carried.
func (c *console) measure() {
	took := c.at.Sub(c.began)
	c.log.Info("file taken", "slot", c.slot, "bytes", len(c.file)+1, "seconds", took.Seconds(),
		"share", (time.Duration(len(c.file))*c.line.perByte).Seconds()/max(took.Seconds(), 1e-9))
}

// endFile checks and stores what came, and answers.
func (c *console) endFile(ctx context.Context) {
	slot, data := c.slot, string(c.file)
	c.slot = 0
	if c.b.stuckAfterStop && c.b.checkFile(slot, data) != nil {
		c.stuck = true
		return
	}
	if !until(ctx, c.in.busy(c.b.store)) {
		return
	}
	nl := c.b.newline
	if slot == 1 { // a slot that does not exist, taken by a fault
		c.print("COMMAND PROCESSED OK" + nl)
		return
	}
	if err := c.b.checkFile(slot, data); err != nil {
		if c.b.abortWipes {
			_ = c.store.wipe()
			c.applied(true)
		}
		c.print("ERROR: " + slotName(slot) + ": " + err.Error() + nl)
		return
	}
	if why := c.keep(slot, data); why != "" {
		c.print("ERROR: " + why + nl)
		return
	}
	if c.b.silentOK {
		return
	}
	if c.b.okBeforeEnd {
		return
	}
	c.print("COMMAND PROCESSED OK" + nl)
	if c.b.printsKey && slot == slotKey {
		c.print("[debug] key:" + nl + strings.ReplaceAll(data, "\n", nl))
	}
}

// keep stores a file; the reason where it will not.
func (c *console) keep(slot int, data string) (refused string) {
	if c.b.inOrder && (slot == slotCertificate && c.store.Staged[slotRoot] == "" && c.store.Used[slotRoot] == "" ||
		slot == slotKey && c.store.Staged[slotCertificate] == "") {
		return "send 10, 20, 30 in this order"
	}
	if n := c.b.keepBytes; n > 0 && len(data) > n {
		data = data[:n]
	}
	if err := c.store.stage(slot, data); err != nil {
		return "storage failed"
	}
	partner := map[int]int{slotCertificate: slotKey, slotKey: slotCertificate}[slot]
	if partner != 0 && c.store.Staged[partner] != "" && !c.b.acceptPair && c.strict() && !fits(c.store.Staged) {
		_ = c.store.drop(slot)
		return "certificate and key do not fit"
	}
	if len(c.store.Staged) == 3 {
		c.applied(false)
	}
	return ""
}

// strict is false for firmware whose fault is to store what it cannot use.
func (c *console) strict() bool {
	return !c.b.acceptGarbage && !c.b.acceptCut && !c.b.acceptKind && c.b.keepBytes == 0 && c.b.needs == "" && !c.b.noPKCS8
}

// abort gives up a file that stopped coming.
func (c *console) abort() {
	c.slot, c.file = 0, c.file[:0]
	if c.b.abortWipes {
		_ = c.store.wipe()
	}
	c.print(c.b.newline + "ERROR: file timed out" + c.b.newline)
}

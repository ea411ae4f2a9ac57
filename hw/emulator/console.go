package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"hilrig/hw/emulator/uart"
)

// console is the guide's terminal (section 4), byte for byte:
//
//	9270,10
//
//	SEND FILE...
//	-----BEGIN CERTIFICATE-----
//	…
//	*COMMAND PROCESSED OK
//
// It is the firmware's main loop; one goroutine works it.
type console struct {
	b       *behaviour
	line    *uart.UART
	store   *storage
	log     *slog.Logger
	boot    time.Time
	modem   *modem
	version string
	end     func(time.Duration) // of this boot, so long after what is being sent

	command  []byte
	wasCR    bool // the last line ended with CR: an LF behind it belongs to it
	taking   bool
	slot     int // of the file that is being taken
	file     []byte
	at       time.Time // when the byte at hand came, in the line's own time
	began    time.Time // the same of the file's first byte
	taken    int       // files of this boot
	lastSlot int       // that was loaded, for firmware that wants an order
	stuck    bool      // for ever
	logs     int       // lines of its log that it has printed
	held     bool      // it has asked for a pause
	wasBusy  bool      // with a key that it did not keep whole
}

const (
	maxCommand = 128
	maxFile    = 16 << 10
	okText     = "COMMAND PROCESSED OK"
)

// run works the terminal until ctx ends.
func (c *console) run(ctx context.Context) {
	var chatter <-chan time.Time
	if c.b.chatter > 0 {
		t := time.NewTicker(c.b.chatter)
		defer t.Stop()
		chatter = t.C
	}
	silence := time.NewTimer(c.b.applyAfter)
	defer silence.Stop()
	for {
		select {
		case b := <-c.line.Arrived():
			lost := !c.line.Take(b) && !(c.b.keepsStar && b.Value == '*')
			if !lost {
				c.line.Cost(c.b.perByte)
				c.at = b.At
				c.input(ctx, b.Value)
			}
			silence.Reset(c.patience())
		case <-silence.C:
			if c.line.Pending() { // the host was late, the line was not silent
				silence.Reset(c.patience())
				continue
			}
			c.line.Wake()
			c.quiet()
		case <-chatter:
			c.line.Wake()
			c.chatter()
		case <-c.modem.returns:
			c.line.Wake()
			if c.b.losesTask {
				c.answer("task telemetry died: mem_malloc")
			}
			c.showKey(c.store.Used[slotKey])
		case <-ctx.Done():
			return
		}
	}
}

// patience is how long the line may be silent before quiet does something.
func (c *console) patience() time.Duration {
	if !c.taking {
		return c.b.applyAfter
	}
	if c.b.fileTimeout == 0 {
		return time.Hour
	}
	return c.b.fileTimeout
}

// quiet is a silent line: a file that does not go on is given up, and loaded
// files that make a whole set are used.
func (c *console) quiet() {
	switch {
	case c.taking:
		c.taking = false
		c.cutShort()
		c.stuck = c.stuck || c.b.diesWaiting
		if c.b.wipesWaiting {
			c.logged(c.store.wipe())
			c.modem.use(c.store.Used, c.line.Sent())
		}
		if !c.stuck {
			c.print(c.b.newline)
			c.answer("ERROR: file timed out")
		}
	case !c.stuck && len(c.command) == 0:
		done, err := c.store.commit()
		if err != nil {
			c.log.Error("storage", "error", err)
		}
		if done {
			c.useSet()
		}
	}
}

// chatter prints log lines between whatever else is printed; an answer is never
// torn by them, because it is queued whole.
func (c *console) chatter() {
	if n := len(c.b.log); n > 0 {
		c.print(c.b.newline + c.b.log[c.logs%n] + c.b.newline)
		c.logs++
		return
	}
	c.print(fmt.Sprintf("[%.3f] GSM: rssi=-%d%s", time.Since(c.boot).Seconds(), 60+rand.IntN(30), c.b.newline))
}

func (c *console) print(s string)  { c.line.Send([]byte(s)) }
func (c *console) answer(s string) { c.print(s + c.b.newline) }

func (c *console) input(ctx context.Context, v byte) {
	second := v == '\n' && c.wasCR
	c.wasCR = false
	switch {
	case second || c.stuck:
	case c.taking:
		c.takeFile(ctx, v)
	case v == '\r' || v == '\n':
		c.wasCR = v == '\r'
		line := strings.TrimSpace(string(c.command))
		c.command = c.command[:0]
		if c.b.echo {
			c.print(c.b.newline)
		}
		if line != "" && c.line.Busy(ctx, c.b.think.pick()) {
			c.do(line)
		}
	case v == 0x7f || v == '\b':
		c.rubOut()
	case len(c.command) < maxCommand:
		c.command = append(c.command, v)
		c.echo(v)
	}
}

func (c *console) echo(v byte) {
	if c.b.echo {
		c.line.Send([]byte{v})
	}
}

func (c *console) rubOut() {
	if len(c.command) == 0 {
		return
	}
	c.command = c.command[:len(c.command)-1]
	if c.b.echo {
		c.print("\b \b")
	}
}

// pick is a duration between the bounds.
func (s span) pick() time.Duration {
	if s.most <= s.least {
		return s.least
	}
	return s.least + rand.N(s.most-s.least)
}

// takeFile takes a byte of a file.
func (c *console) takeFile(ctx context.Context, v byte) {
	if gaps := c.b.echoGaps; gaps == 0 || len(c.file)%gaps != gaps-1 || v == '*' {
		c.echo(v)
	}
	c.hold()
	if len(c.file) == 0 {
		c.began = c.at
	}
	if v == '*' {
		c.taking = false
		c.measure()
		c.endFile(ctx)
		return
	}
	if len(c.file) <= maxFile {
		c.file = append(c.file, v)
	}
	n := len(c.file)
	if n == c.b.earlyOK {
		c.print(c.b.newline)
		c.answer(okText)
	}
	if n == c.b.falseOK {
		c.print(c.b.newline)
		c.answer("[log] last command: " + okText)
	}
	if c.b.inPlace && n%blockSize == 0 {
		c.logged(c.store.overwrite(c.slot, string(c.file)))
	}
}

// hold asks for a pause while too many bytes wait, by software flow control:
// XOFF and XON (DC3, DC1).
func (c *console) hold() {
	switch waiting := c.line.Waiting(); {
	case c.b.xoff > 0 && !c.held && waiting >= c.b.xoff:
		c.held = true
		c.print("\x13")
	case c.held && waiting < c.b.xoff/2:
		c.held = false
		c.print("\x11")
	}
}

// measure logs what share of the line's rate a file came at.
func (c *console) measure() {
	took := c.at.Sub(c.began)
	line := time.Duration(len(c.file)) * c.line.ByteTime() // from the first byte's end to the last's
	share := 0.0
	if took > 0 {
		share = line.Seconds() / took.Seconds()
	}
	c.log.Info("file taken", "slot", c.slot, "bytes", len(c.file)+1, "seconds", took.Seconds(), "overran", c.line.Overran(), "share", share)
}

// blockSize of the flash of firmware that writes a file while it comes.
const blockSize = 256

// endFile checks and stores what came, and answers.
func (c *console) endFile(ctx context.Context) {
	data := string(c.file)
	if r := check(c.slot, data); r != nil && r.reason == cut {
		c.cutShort()
	}
	if c.stuck || !c.line.Busy(ctx, c.b.store.pick()) {
		return
	}
	if err := c.keep(data); err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			c.log.Error("storage", "error", err)
		}
		if c.stuck = c.b.diesRefusing; c.stuck {
			return
		}
		c.answer("ERROR: " + slotName(c.slot) + ": " + err.Error())
		return
	}
	c.lastSlot = c.slot
	c.taken++
	if !slices.Contains(c.b.silentOK, c.slot) && c.b.earlyOK == 0 {
		c.answer(c.b.okText)
		if c.b.okTwice {
			c.answer(c.b.okText)
		}
	}
	if c.slot == slotKey && !c.b.showsLater {
		c.showKey(data)
	}
	switch {
	case len(c.store.Staged) > 0 || c.slot == noSlot:
	case c.b.rebootsOnSet:
		c.answer("rebooting to use the new identity")
		c.end(0)
	default:
		c.useSet()
	}
}

// useSet makes the modem use what is stored now, unless that hangs the device.
func (c *console) useSet() {
	set := c.store.Used
	if c.b.hangsOnSet {
		c.stuck, set = true, files{}
	}
	c.modem.use(set, c.line.Sent())
}

// showKey is a debug output that was left in.
func (c *console) showKey(key string) {
	if c.b.shows != nil && key != "" {
		c.answer("[debug] key:")
		c.print(strings.ReplaceAll(c.b.shows(unixLines(key)), "\n", c.b.newline))
	}
}

// keep stores a whole file.
func (c *console) keep(data string) error {
	switch {
	case c.slot == noSlot:
		return nil
	case c.b.busyAfterCut && !c.wasBusy && c.store.Used.complete() && privateKey(c.store.Used[slotKey]) == nil:
		c.wasBusy = true
		return &refusal{unreadable, "busy"}
	case c.b.filesPerBoot > 0 && c.taken >= c.b.filesPerBoot:
		return &refusal{unreadable, "out of memory"}
	case len(data) > maxFile:
		return &refusal{unreadable, "file is too long"}
	case c.b.inOrder && c.outOfOrder():
		return &refusal{unreadable, "send 10, 20, 30 in this order"}
	}
	err := c.store.load(c.slot, data)
	if err != nil && c.b.inPlace {
		c.logged(c.store.save())
	}
	return err
}

func (c *console) outOfOrder() bool {
	before := map[int]int{slotCertificate: slotRoot, slotKey: slotCertificate}[c.slot]
	return before != 0 && c.lastSlot != before && c.lastSlot != c.slot
}

// cutShort is a file that ended before its END line: sound firmware does
// nothing about it but forget it.
func (c *console) cutShort() {
	if c.b.stuckByCut {
		c.stuck = true
	}
	if c.b.wipesByCut {
		c.logged(c.store.wipe())
		c.modem.use(c.store.Used, c.line.Sent())
	}
	if c.b.inPlace {
		c.logged(c.store.save())
	}
}

func (c *console) logged(err error) {
	if err != nil {
		c.log.Error("storage", "error", err)
	}
}

package emulator

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"hilrig/hw/emulator/uart"
	"hilrig/record"
)

// Config says which device to be.
type Config struct {
	Link      string        // where to link the pseudo-terminal; empty: nowhere
	Terminal  *os.File      // master of one that the parent made, and which Run closes; Link is then not used
	Control   int           // descriptor of the socket on which the parent takes Terminal away and gives another; 0: none
	Hub       string        // host:port; empty: a device without a network
	HubName   string        // for SNI, verification and user name; default: Hub's host
	From      string        // address of this host that it dials from; empty: any
	DeviceID  string        // default: NewDevice, the guide's
	UserName  string        // default: IoT Hub's, with the names of hub and device
	Password  string        // empty: none
	Baud      int           // bits a second; 0: no timing
	Interval  time.Duration // between telemetry messages; default: 500 ms
	KeepAlive time.Duration // of MQTT, whole seconds; default: 60 s
	Twin      bool          // handles its twin: asks for it, reports what is desired
	Methods   []string      // direct methods that it answers, by name
	Firmware  []string      // versions that it says it is, boot after boot; the last stays. None: 1.0.0
	State     string        // file of what it stores; empty: nothing survives
	Faults    []string      // by name
	Profile   string        // by name; empty: fast
	Log       *slog.Logger
	Ready     func(port string) // called once the line can be opened

	change func(*behaviour) // for tests
}

// Defaults of a Config.
const (
	DefaultDeviceID  = "NewDevice"
	DefaultBaud      = 115200
	DefaultInterval  = 500 * time.Millisecond
	DefaultKeepAlive = time.Minute
)

// checked is c with its defaults, or a usage error.
func (c Config) checked() (Config, error) {
	c.DeviceID = cmp.Or(c.DeviceID, DefaultDeviceID)
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.KeepAlive = cmp.Or(c.KeepAlive, DefaultKeepAlive)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Hub != "" {
		host, _, err := net.SplitHostPort(c.Hub)
		if err != nil {
			return c, record.NewFailure(record.Usage, "read", "--hub "+c.Hub, err).WithCure("HOST:PORT is meant")
		}
		c.HubName = cmp.Or(c.HubName, host)
	}
	wrong := func(subject string, why string) (Config, error) {
		return c, record.NewFailure(record.Usage, "read", subject, errors.New(why))
	}
	switch {
	case c.From != "" && net.ParseIP(c.From) == nil:
		return wrong("--from "+c.From, "an address of this host is meant, such as 127.0.0.21")
	case c.Interval < time.Millisecond:
		return wrong("--interval "+c.Interval.String(), "at least 1ms is needed")
	case c.KeepAlive < time.Second || c.KeepAlive > 65535*time.Second:
		return wrong("--keep-alive "+c.KeepAlive.String(), "MQTT knows whole seconds, 1 to 65535")
	case c.Baud < 0:
		return wrong("--baud "+strconv.Itoa(c.Baud), "it is below 0")
	}
	return c, nil
}

// Run is the device from power-on until ctx ends, which is its power going: it
// says good-bye to nobody, but removes its link. Errors are of class usage for
// what the configuration says wrongly, else rig:host.
func Run(ctx context.Context, c Config) error {
	c, err := c.checked()
	if err != nil {
		return err
	}
	if c, err = c.flashed(); err != nil {
		return err
	}
	b, err := c.firmware()
	if err != nil {
		return err
	}
	if c.change != nil {
		c.change(&b)
	}
	if _, err := openStorage(c.State, &b); err != nil { // before anybody is told that the device is there
		return err
	}
	t, err := openTerminal(c)
	if err != nil {
		return err
	}
	defer t.close()
	t.dies = b.diesUnplugged
	ring := b.rxRing
	if c.Baud == 0 {
		ring = 0 // no line, no time in which to be outrun
	}
	var wire uart.Line = t
	if b.otherRate {
		wire = otherRate{t}
	}
	line := uart.New(wire, uart.Config{Baud: c.Baud, RXRing: ring, TXRing: b.txRing})
	ctx, off := context.WithCancelCause(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if err := line.Run(ctx); err != nil {
			off(record.NewFailure(record.RigHost, "use", "pseudo-terminal", err))
		}
	}()
	defer func() { off(nil); <-gone }()
	var opened <-chan struct{}
	if b.bootsOnOpen {
		var stop func()
		if opened, stop, err = t.opens(); err != nil {
			return err
		}
		defer stop()
	}
	if c.Ready != nil {
		c.Ready(t.port())
	}
	for boots := 0; ctx.Err() == nil; boots++ {
		if err := bootOnce(ctx, c, &b, line, opened, boots); err != nil {
			return err
		}
	}
	if f := (*record.Failure)(nil); errors.As(context.Cause(ctx), &f) {
		return f
	}
	return nil
}

// bootOnce is one life of the device, until its power goes or it reboots.
func bootOnce(ctx context.Context, c Config, b *behaviour, line *uart.UART, opened <-chan struct{}, boots int) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	if opened != nil {
		ended := make(chan struct{})
		defer func() { end(); <-ended }()
		go func() {
			defer close(ended)
			select {
			case <-opened:
				end()
			case <-ctx.Done():
			}
		}()
	}
	if !booted(ctx, b, line) {
		return nil
	}
	store, err := openStorage(c.State, b)
	if err != nil {
		return err
	}
	if _, err := store.commit(); err != nil { // what was loaded before the power went
		c.Log.Error("storage", "error", err)
	}
	version, err := store.version(c.Firmware, boots)
	if err != nil {
		c.Log.Error("storage", "error", err)
	}
	m := newModem(ctx, c, b)
	if store.Used.complete() {
		m.wait += b.rejoin
	}
	term := &console{b: b, line: line, store: store, log: c.Log, boot: time.Now(), modem: m, version: version}
	term.end = func(after time.Duration) {
		go func() {
			if sleepUntil(ctx, line.Sent().Add(after)) {
				end()
			}
		}()
	}
	m.crash = end
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.run(ctx)
	}()
	m.use(store.Used, time.Time{})
	term.run(ctx)
	<-ended
	return nil
}

// bannerStep is between the lines of a boot; what is left of it is silence.
const bannerStep = 100 * time.Millisecond

// booted waits while the device boots and nobody fetches what arrives.
func booted(ctx context.Context, b *behaviour, line *uart.UART) bool {
	if b.boot <= 0 {
		return ctx.Err() == nil
	}
	ready := time.NewTimer(b.boot)
	defer ready.Stop()
	step := time.NewTicker(bannerStep)
	defer step.Stop()
	for said := 0; ; {
		select {
		case <-line.Arrived():
		case <-step.C:
			if said < len(b.banner) {
				line.Wake()
				line.Send([]byte(b.banner[said] + b.newline))
				said++
			}
		case <-ready.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

func sleepUntil(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

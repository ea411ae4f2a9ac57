package emulator

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/record"
)

// Config says which device to be.
type Config struct {
	Link      string   // where to link the pseudo-terminal
	Terminal  *os.File // master of one that the parent made; Link is then not used
	Hub       string   // host:port; empty: a device without a network
	HubName   string   // for SNI, verification and user name; default: Hub's host
	DeviceID  string
	Baud      int           // 0: no timing
	Interval  time.Duration // between telemetry messages
	KeepAlive time.Duration
	State     string   // file of what it stores; empty: nothing survives
	Faults    []string // by name
	Profile   string   // fast, slow or chatty
	Log       *slog.Logger
	Ready     func(port string) // called once the line can be opened
}

// errReboot ends a life of the device that is followed by another.
var errReboot = errors.New("reboot")

// Run is the device from power-on until ctx ends. Its errors are of class
// usage for what the configuration says wrongly, else rig:host.
func Run(ctx context.Context, c Config) error {
	b, err := faulty(c.Profile, c.Faults)
	if err != nil {
		return err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.HubName == "" && c.Hub != "" {
		if c.HubName, _, err = net.SplitHostPort(c.Hub); err != nil {
			return record.NewFailure(record.Usage, "read hub address", c.Hub, err)
		}
	}
	t, err := openTerminal(c)
	if err != nil {
		return err
	}
	defer t.close()
	if c.Ready != nil {
		c.Ready(t.port())
	}
	line := newUART(t.master, c.Baud, c.Log)
	gone := make(chan error, 1)
	go func() { gone <- line.run(ctx) }()
	for {
		life, end := context.WithCancelCause(ctx)
		context.AfterFunc(life, func() {})
		go func() {
			select {
			case err := <-gone:
				end(err)
			case <-life.Done():
			}
		}()
		err := live(life, end, c, &b, line)
		end(nil)
		if !errors.Is(err, errReboot) {
			return err
		}
	}
}

// live is one life, from boot to reboot or end.
func live(ctx context.Context, end context.CancelCauseFunc, c Config, b *behaviour, line *uart) error {
	if !until(ctx, time.Now().Add(b.boot)) {
		return finish(ctx)
	}
	store, err := openStorage(c.State, b)
	if err != nil {
		return err
	}
	boot := time.Now()
	m := &modem{
		b: b, log: c.Log, hub: c.Hub, hubName: c.HubName, id: c.DeviceID, interval: c.Interval * time.Duration(b.stretch), keepAlive: c.KeepAlive,
		boot: boot, inFlight: mqtt.NewMemoryStore(), kick: make(chan struct{}, 1),
	}
	use := func() {
		if c.Hub != "" {
			m.use(maps.Clone(store.Used))
		}
	}
	term := &console{b: b, line: line, store: store, log: c.Log, boot: boot, connect: m.now, in: receiver{ring: b.rxRing, perByte: b.perByte}}
	term.reboot = func() { <-line.drained(); end(errReboot) }
	term.applied = func(whole bool) {
		done, err := store.commit()
		if err != nil {
			c.Log.Error("storage", "error", err)
		}
		if done || whole {
			use()
		}
	}
	if store.Used.complete() {
		use()
	}
	go func() {
		if until(ctx, time.Now().Add(b.connectWait)) {
			m.run(ctx)
		}
	}()
	term.run(ctx)
	return finish(ctx)
}

func finish(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) {
		return nil
	}
	return cause
}

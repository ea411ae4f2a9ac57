package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"hilrig/record"
)

// Flags puts the flags of `hilrig emulate` into fs; c gets their values.
func Flags(fs *pflag.FlagSet, c *Config) {
	fs.StringVar(&c.Link, "link", "", "make the device's port a link at `PATH`")
	fs.StringVar(&c.Hub, "hub", "", "`HOST:PORT` that the device dials; none: it stays offline")
	fs.StringVar(&c.HubName, "hub-name", "", "`NAME` of the hub in SNI, verification and user name (default: the host of --hub)")
	fs.StringVar(&c.DeviceID, "device-id", "NewDevice", "`ID` of the device at the hub")
	fs.IntVar(&c.Baud, "baud", 115200, "UART rate in bits per second; 0: no timing")
	fs.DurationVar(&c.Interval, "interval", 500*time.Millisecond, "between telemetry messages")
	fs.DurationVar(&c.KeepAlive, "keep-alive", time.Minute, "MQTT keep-alive")
	fs.StringVar(&c.State, "state", "", "`FILE` of what the device stores, so that it survives a restart")
	fs.StringArrayVar(&c.Faults, "fault", nil, "run faulty firmware (repeatable); --list-faults shows them")
	fs.StringVar(&c.Profile, "profile", "fast", "timing of the device: fast, slow or chatty")
}

// Hidden flags by which a parent process gives the device its terminal, and by
// which it ends with its parent.
type hidden struct {
	terminal int
	lifeline bool
	list     bool
}

// Main is `hilrig emulate`: flags in, exit code out. It prints one JSON line
// when the port is ready.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c Config
	var h hidden
	fs := pflag.NewFlagSet("emulate", pflag.ContinueOnError)
	fs.SetOutput(stderr)
	Flags(fs, &c)
	fs.IntVar(&h.terminal, "terminal-fd", -1, "")
	fs.BoolVar(&h.lifeline, "lifeline", false, "")
	fs.BoolVar(&h.list, "list-faults", false, "list every fault with the defect that it stands for")
	_ = fs.MarkHidden("terminal-fd")
	_ = fs.MarkHidden("lifeline")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(stderr, "hilrig emulate: %v\n", err)
		return 2
	}
	if h.list {
		ListFaults(stdout)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Start(ctx, c, h.terminal, h.lifeline, stdin, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "hilrig emulate: %v\n", err)
		if record.ClassOf(err) == record.Usage {
			return 2
		}
		return 3
	}
	return 0
}

// Start runs the device with what a parent process may have handed down: the
// terminal's descriptor (negative: none), and a standard input whose end is
// the parent's.
func Start(ctx context.Context, c Config, terminalFD int, lifeline bool, stdin io.Reader, stdout, stderr io.Writer) error {
	switch c.Profile {
	case "", "fast", "slow", "chatty":
	default:
		return record.NewFailure(record.Usage, "find profile", c.Profile, errors.New("profiles are fast, slow and chatty"))
	}
	if c.Interval <= 0 || c.KeepAlive < 0 || c.Baud < 0 {
		return record.NewFailure(record.Usage, "read flags", "", errors.New("--interval must be above 0, --keep-alive and --baud not below"))
	}
	if terminalFD >= 0 {
		c.Terminal = os.NewFile(uintptr(terminalFD), "terminal")
	}
	if lifeline {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			cancel()
		}()
	}
	c.Log = slog.New(slog.NewTextHandler(stderr, nil))
	c.Ready = func(port string) {
		line, err := json.Marshal(map[string]string{"event": "ready", "port": port})
		if err == nil {
			fmt.Fprintf(stdout, "%s\n", line)
		}
	}
	return Run(ctx, c)
}

// ListFaults prints the gallery as a table.
func ListFaults(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range Faults() {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, f.Doc, f.Stands)
	}
	_ = t.Flush()
}

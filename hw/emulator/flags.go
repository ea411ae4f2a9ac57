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

	"github.com/spf13/pflag"

	"hilrig/record"
)

// Flags puts the flags of `hilrig emulate` into fs; c gets their values.
func Flags(fs *pflag.FlagSet, c *Config) {
	fs.StringVar(&c.Link, "link", "", "make the device's port a link at `PATH`")
	fs.StringVar(&c.Hub, "hub", "", "`HOST:PORT` that the device dials; none: it stays offline")
	fs.StringVar(&c.HubName, "hub-name", "", "`NAME` of the hub in SNI, verification and user name (default: the host of --hub)")
	fs.StringVar(&c.DeviceID, "device-id", DefaultDeviceID, "`ID` of the device at the hub")
	fs.IntVar(&c.Baud, "baud", DefaultBaud, "UART rate in bits per second; 0: no timing")
	fs.DurationVar(&c.Interval, "interval", DefaultInterval, "between telemetry messages")
	fs.DurationVar(&c.KeepAlive, "keep-alive", DefaultKeepAlive, "MQTT keep-alive")
	fs.BoolVar(&c.Twin, "twin", false, "ask for the device's twin, and report what is desired of it")
	fs.StringArrayVar(&c.Methods, "method", nil, "answer the direct method `NAME` (repeatable)")
	fs.StringVar(&c.State, "state", "", "`FILE` of what the device stores, so that it survives a restart")
	fs.StringArrayVar(&c.Faults, "fault", nil, "run faulty firmware (repeatable); --list-faults shows them")
	fs.IntVar(&c.Control, "control-fd", 0, "")
	_ = fs.MarkHidden("control-fd") // fails only for a flag that is not there
	fs.StringVar(&c.Profile, "profile", ProfileFast, "shape of the device; --list-profiles shows them")
}

// Main is `hilrig emulate`: flags in, exit code out. It prints one JSON line
// when the port is ready. It handles SIGINT and SIGTERM.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c Config
	fs := pflag.NewFlagSet("emulate", pflag.ContinueOnError)
	fs.SetOutput(stderr)
	Flags(fs, &c)
	terminal := fs.Int("terminal-fd", -1, "")
	lifeline := fs.Bool("lifeline", false, "")
	list := fs.Bool("list-faults", false, "list every fault with the defect that it stands for")
	profiles := fs.Bool("list-profiles", false, "list every profile with the device that it stands for")
	_ = fs.MarkHidden("terminal-fd") // fails only for a flag that is not there
	_ = fs.MarkHidden("lifeline")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err == nil && fs.NArg() > 0:
		err = fmt.Errorf("%q: it takes flags only", fs.Arg(0))
	}
	if err != nil {
		return complain(stderr, record.NewFailure(record.Usage, "read", "flags", err))
	}
	if *list {
		ListFaults(stdout)
		return 0
	}
	if *profiles {
		ListProfiles(stdout)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Start(ctx, c, *terminal, *lifeline, stdin, stdout, stderr); err != nil {
		return complain(stderr, err)
	}
	return 0
}

// complain says what is wrong and gives the exit code for it: 2 for usage, 3
// for the host.
func complain(stderr io.Writer, err error) int {
	_, _ = fmt.Fprintf(stderr, "hilrig emulate: %v\n", err) // with stderr gone nobody is left to be told
	if record.ClassOf(err) == record.Usage {
		return 2
	}
	return 3
}

// Start runs the device with what a parent process may have handed down: the
// terminal's descriptor (negative: none), and a standard input whose end is
// the parent's.
func Start(ctx context.Context, c Config, terminalFD int, lifeline bool, stdin io.Reader, stdout, stderr io.Writer) error {
	if terminalFD >= 0 {
		c.Terminal = os.NewFile(uintptr(terminalFD), "terminal")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	if lifeline {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // however it ended, the parent is gone
			end()
		}()
	}
	c.Log = slog.New(slog.NewTextHandler(stderr, nil))
	c.Ready = func(port string) {
		_ = json.NewEncoder(stdout).Encode(struct { // a reader that went away does not stop the device
			Event string `json:"event"`
			Port  string `json:"port"`
		}{"ready", port})
	}
	return Run(ctx, c)
}

// ListFaults prints the gallery as a table.
func ListFaults(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range Faults() {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, f.Doc, f.Stands)
	}
	_ = t.Flush() // whoever does not read the table does not need it
}

// ListProfiles prints the shapes of sound firmware as a table.
func ListProfiles(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range Profiles() {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", p.Name, p.Doc, p.Stands)
	}
	_ = t.Flush()
}

package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"hilrig/record"
)

// Options are what `hilrig emulate` is asked for.
type Options struct {
	Config
	ListFaults   bool   // print the gallery instead
	Flash        string // put this image into the device of State instead
	ListProfiles bool   // print the shapes of sound firmware instead

	terminal int  // descriptor of a pseudo-terminal's master that the parent handed down; negative: none
	lifeline bool // end with standard input, which is the parent's

	passwordEnv  string // name of the environment variable with the password
	passwordFile string
}

// Flags puts the flags of `hilrig emulate` into fs; o gets their values.
func Flags(fs *pflag.FlagSet, o *Options) {
	fs.StringVar(&o.Link, "link", "", "make the device's port a link at `PATH`")
	fs.StringVar(&o.Hub, "hub", "", "`HOST:PORT` that the device dials; none: it stays offline")
	fs.StringVar(&o.HubName, "hub-name", "", "`NAME` of the hub in SNI, verification and user name (default: the host of --hub)")
	fs.StringVar(&o.From, "from", "", "`ADDRESS` of this host that the device dials from; none: any")
	fs.StringVar(&o.DeviceID, "device-id", DefaultDeviceID, "`ID` of the device at the hub")
	fs.StringVar(&o.UserName, "user-name", "", "`USER` of the device in MQTT (default: IoT Hub's form)")
	fs.StringVar(&o.passwordEnv, "password-env", "", "environment `VARIABLE` with the device's password in MQTT (default: it sends none)")
	fs.StringVar(&o.passwordFile, "password-file", "", "`FILE` that holds it, in place of a variable")
	fs.IntVar(&o.Baud, "baud", DefaultBaud, "UART rate in bits per second; 0: no timing")
	fs.DurationVar(&o.Interval, "interval", DefaultInterval, "between telemetry messages")
	fs.DurationVar(&o.KeepAlive, "keep-alive", DefaultKeepAlive, "MQTT keep-alive")
	fs.BoolVar(&o.Twin, "twin", false, "ask for the device's twin, and report what is desired of it")
	fs.StringArrayVar(&o.Methods, "method", nil, "answer the direct method `NAME` (repeatable)")
	fs.StringArrayVar(&o.Firmware, "firmware", nil, "say that this `VERSION` runs; given more than once: one for each boot, as of a device that updates itself, or falls back")
	fs.StringVar(&o.State, "state", "", "`FILE` of what the device stores, so that it survives a restart")
	fs.StringVar(&o.Flash, "flash", "", "put the image `FILE` into the device of --state, as a flash tool does, and end")
	fs.StringArrayVar(&o.Faults, "fault", nil, "run faulty firmware (repeatable); --list-faults shows them")
	fs.StringVar(&o.Profile, "profile", ProfileFast, "shape of the device; --list-profiles shows them")
	fs.BoolVar(&o.ListFaults, "list-faults", false, "list every faulty firmware with the defect that it stands for")
	fs.BoolVar(&o.ListProfiles, "list-profiles", false, "list every profile of sound firmware with the device that it stands for")
	fs.IntVar(&o.terminal, "terminal-fd", -1, "use this descriptor, the master of a pseudo-terminal")
	fs.IntVar(&o.Control, "control-fd", 0, "take the terminal away, or another, as this socket says")
	fs.BoolVar(&o.lifeline, "lifeline", false, "end when standard input ends")
	for _, hidden := range []string{"terminal-fd", "control-fd", "lifeline"} {
		_ = fs.MarkHidden(hidden) // fails only for a flag that is not there
	}
}

// Start is `hilrig emulate`: it prints a list, or runs the device until ctx
// ends and prints one JSON line when its port is ready.
func Start(ctx context.Context, o Options, stdin io.Reader, stdout, stderr io.Writer) error {
	switch {
	case o.Flash != "" && o.State == "":
		return record.NewFailure(record.Usage, "flash", o.Flash, errors.New("--state says into which device"))
	case o.Flash != "":
		return Flash(o.Flash, o.State)
	case o.ListFaults:
		listFaults(stdout)
		return nil
	case o.ListProfiles:
		listProfiles(stdout)
		return nil
	}
	if o.terminal >= 0 {
		o.Terminal = os.NewFile(uintptr(o.terminal), "terminal")
	}
	if o.passwordEnv != "" {
		o.Password = os.Getenv(o.passwordEnv)
	}
	if o.passwordFile != "" {
		text, err := os.ReadFile(o.passwordFile)
		if err != nil {
			return record.NewFailure(record.Usage, "read password from", o.passwordFile, err)
		}
		o.Password = strings.TrimRight(string(text), "\r\n")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	if o.lifeline {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // however it ended, the parent is gone
			end()
		}()
	}
	o.Log = slog.New(slog.NewTextHandler(stderr, nil))
	o.Ready = func(port string) {
		_ = json.NewEncoder(stdout).Encode(struct { // a reader that went away does not stop the device
			Event string `json:"event"`
			Port  string `json:"port"`
		}{"ready", port})
	}
	return Run(ctx, o.Config)
}

// listFaults prints the gallery as a table.
func listFaults(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range Faults() {
		_, _ = io.WriteString(t, f.Name+"\t"+f.Doc+"\t"+f.Stands+"\n")
	}
	_ = t.Flush() // whoever does not read the table does not need it
}

// listProfiles prints the shapes of sound firmware as a table.
func listProfiles(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range Profiles() {
		_, _ = io.WriteString(t, p.Name+"\t"+p.Doc+"\t"+p.Stands+"\n")
	}
	_ = t.Flush()
}

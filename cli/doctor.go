package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"hilrig/fixtures/rigfile"
	"hilrig/hw/port"
	"hilrig/hw/usb"
	"hilrig/runner"
)

// What a check finds. Only bad makes a run fail.
const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateBad  = "bad"
)

// finding is what one check says of one thing.
type finding struct {
	Name  string `json:"name"`
	State string `json:"state"`
	What  string `json:"what"`
	Cure  string `json:"cure,omitempty"`
}

func fine(what string, args ...any) finding {
	return finding{State: stateOK, What: fmt.Sprintf(what, args...)}
}

func warn(cure, what string, args ...any) finding {
	return finding{State: stateWarn, What: fmt.Sprintf(what, args...), Cure: cure}
}

func bad(cure, what string, args ...any) finding {
	return finding{State: stateBad, What: fmt.Sprintf(what, args...), Cure: cure}
}

// patient is what the checks look at.
type patient struct {
	rig      *rigfile.Rig
	ports    []usb.Port
	noPorts  error // why they could not be listed
	lockDir  string
	stateDir string
	noState  error
	line     string        // --port; empty: no port is opened
	root     string        // of the file system
	rules    func() string // the firewall's; nil: nft is asked
	log      *slog.Logger
}

// check looks at one kind of thing and gives a finding for each, none where
// there is nothing to look at.
type check struct {
	name string
	look func(context.Context, *patient) []finding
}

// checks are in the order in which they are printed.
var checks = []check{
	{"port", checkPorts},
	{"lock folder", checkLockDir},
	{"state folder", checkStateDir},
	{"device", checkDevices},
	{"hub port", checkHubPorts},
	{"firewall", checkFirewall},
	{"hub host", checkHubHost},
	{"clock", checkClock},
	{"certificates", checkCertificates},
	{"openssl", checkOpenSSL},
	{"disk", checkDisk},
	{"line", checkLine},
}

func (a *app) doctorCommand() *cobra.Command {
	var rig, line string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what on this machine would make a run fail, each with its cure",
		Long: `Check what on this machine would make a run fail: port permissions, lock and
state folder, hub port, firewall and host name, clock, certificates, disk; each with its
cure. With --port the line is opened and loaded with a few hundred harmless
bytes, whose echo is compared. Exit code 3 when something is bad.`,
		Example: `  hilrig doctor
  hilrig doctor --rig bench.yaml
  hilrig doctor --port /dev/ttyUSB0`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := &patient{rig: rigfile.Default(), lockDir: port.LockDir(), line: line, root: "/", log: a.log}
			if rig != "" {
				var err error
				if p.rig, err = rigfile.Load(rig); err != nil {
					return err
				}
			}
			p.ports, p.noPorts = usb.List("/")
			p.stateDir, p.noState = stateDirName()
			ctx, stop := a.untilSignal(cmd.Context())
			defer stop()
			found := examine(ctx, p)
			if ctx.Err() != nil {
				return errInterrupted
			}
			for _, f := range found {
				if f.State == stateBad {
					a.code = runner.ExitRig
				}
			}
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetIndent("", " ")
				return enc.Encode(found)
			}
			a.printFindings(found)
			return nil
		},
	}
	cmd.Flags().StringVar(&rig, "rig", "", "rig file whose devices and hub are checked too")
	cmd.Flags().StringVar(&line, "port", "", "open this serial port and try it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func examine(ctx context.Context, p *patient) []finding {
	found := []finding{}
	for _, c := range checks {
		for _, f := range c.look(ctx, p) {
			f.Name = c.name
			found = append(found, f)
		}
	}
	return found
}

// printFindings is one line for each; the cure is at its end.
func (a *app) printFindings(found []finding) {
	ink, colours, width := palette(lively(a.out)), map[string]style{stateOK: green, stateWarn: yellow, stateBad: red}, 0
	for _, c := range checks {
		width = max(width, len(c.name))
	}
	for _, f := range found {
		fmt.Fprintf(a.out, "%s  %-*s  %s", ink.paint(colours[f.State], fmt.Sprintf("%-4s", f.State)), width, f.Name, oneLine(f.What))
		if f.Cure != "" {
			fmt.Fprintf(a.out, " → %s", oneLine(f.Cure))
		}
		fmt.Fprintln(a.out)
	}
}

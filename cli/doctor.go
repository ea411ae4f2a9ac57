package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/runner"
)

func (a *app) doctorCommand() *cobra.Command {
	var rig, hubName, line string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what on this machine would make a run fail, each with its cure",
		Long: `Check what on this machine would make a run fail: port permissions, lock and
state folder, hub port or broker, firewall and host name, clock, certificates, disk; each with its
cure. With --port the line is opened and loaded with a few hundred harmless
bytes, whose echo is compared. Exit code 3 when something is bad.`,
		Example: `  hilrig doctor
  hilrig doctor --rig bench.yaml
  hilrig doctor --rig bench.yaml --hub mosq
  hilrig doctor --port /dev/ttyUSB0`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := examined(cmd.Context(), a, rig, hubName, func(ctx context.Context, host *doctor.Host) []doctor.Result {
				host.Line = line
				host.StateDir, host.NoState = runner.StateDirName()
				return doctor.Examine(ctx, host)
			})
			if err != nil {
				return err
			}
			a.judge(found)
			if asJSON {
				return a.PrintJSON(found)
			}
			a.printResults(found)
			return nil
		},
	}
	cmd.Flags().StringVar(&rig, "rig", "", "rig file whose devices and hub are checked too")
	cmd.Flags().StringVar(&hubName, "hub", "", "look at this hub of the rig file (default: its own)")
	cmd.Flags().StringVar(&line, "port", "", "open this serial port and try it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// examined is what is found on this machine for a rig at a hub of its.
func examined[T any](ctx context.Context, a *app, rig, hubName string, look func(context.Context, *doctor.Host) T) (found T, err error) {
	host := doctor.ThisHost(a.Log)
	if host.Rig, err = named.RigAt(rig, hubName, a.Catalogue); err != nil {
		return found, err
	}
	host.Broker = lookAtBroker
	ctx, stop := a.UntilSignal(ctx)
	defer stop()
	if found = look(ctx, host); ctx.Err() != nil {
		return found, verb.ErrInterrupted
	}
	return found, nil
}

// judge has the program end as the worst result says.
func (a *app) judge(found []doctor.Result) {
	if doctor.Worst(found) == doctor.Bad {
		a.Code = runner.ExitRig
	}
}

// printResults is one line for each; the cure is at its end.
func (a *app) printResults(found []doctor.Result) {
	width := 0
	for _, name := range doctor.Names() {
		width = max(width, len(name))
	}
	for _, f := range found {
		fmt.Fprintf(a.Out, "%s  %-*s  %s", a.state(f.State, 4), width, f.Name, terminal.OneLine(f.What))
		if f.Cure != "" {
			fmt.Fprintf(a.Out, " → %s", terminal.OneLine(f.Cure))
		}
		fmt.Fprintln(a.Out)
	}
}

// state is a state in its colour, padded to a width.
func (a *app) state(s doctor.State, width int) string {
	colours := map[doctor.State]terminal.Style{doctor.OK: terminal.Green, doctor.Warn: terminal.Yellow, doctor.Bad: terminal.Red}
	return terminal.PaletteOf(a.Out).Paint(colours[s], fmt.Sprintf("%-*s", width, s))
}

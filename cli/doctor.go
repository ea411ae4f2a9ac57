package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
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
			a.Judge(found)
			if asJSON {
				return a.PrintJSON(found)
			}
			a.PrintResults(found)
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

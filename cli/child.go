package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"hilrig/cli/terminal"
	"hilrig/runner"
	"hilrig/suites"
)

// childCommand is the hidden verb that `hilrig run` starts for each device.
func (a *app) childCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "child",
		Short:   "Run the specs of one device for hilrig run, which starts this by itself",
		Example: "  hilrig run",
		Hidden:  true,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(syscall.SIGPIPE) // a write to a supervisor that is gone must fail, not kill before the teardown
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
			defer stop()
			events, err := terminal.OwnStdout(terminal.Unfiltered(a.out))
			if err != nil {
				return err
			}
			a.code = runner.Child{In: a.in, Out: events, Log: a.log, Run: suites.Host{Catalogue: a.catalogue, Kinds: runner.Kinds()}.Run}.Serve(ctx)
			return nil
		},
	}
}

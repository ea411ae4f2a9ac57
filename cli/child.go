package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"hilrig/cli/terminal"
	"hilrig/cli/verb"
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
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(syscall.SIGPIPE) // a write to a supervisor that is gone must fail, not kill before the teardown
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
			defer stop()
			events, err := terminal.OwnStdout(terminal.Unfiltered(a.Out))
			if err != nil {
				return err
			}
			a.Code = runner.Child{In: a.In, Out: events, Log: a.Log, Run: suites.Host{Catalogue: a.Catalogue, Kinds: runner.Kinds()}.Run}.Serve(ctx)
			return nil
		},
	}
}

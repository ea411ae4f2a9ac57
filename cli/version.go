package cli

import (
	"fmt"

	"hilrig/cli/verb"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this binary",
		Example: "  hilrig version",
		Args:    verb.Exactly(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Out, "hilrig", verb.Version())
			return err
		},
	}
}

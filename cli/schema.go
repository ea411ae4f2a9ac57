package cli

import (
	"github.com/spf13/cobra"

	"hilrig/fixtures/rigfile"
	"hilrig/reports/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema event|list|record|rig",
		Short: "Print the JSON schema of a format",
		Long: `Print the JSON schema (draft 2020-12) of a format: event (a line of --json and
of timeline.jsonl), list (hilrig list --json), record (run.json), rig (rig.yaml).`,
		Example: `  hilrig schema rig > rig.schema.json
  hilrig schema record`,
		Args:      exactly("FORMAT"),
		ValidArgs: append(schema.Names(), "rig"),
		RunE: func(_ *cobra.Command, args []string) error {
			text := rigfile.Schema()
			if args[0] != "rig" {
				var err error
				if text, err = schema.Of(args[0]); err != nil {
					return err
				}
			}
			_, err := a.out.Write(text)
			return err
		},
	}
}

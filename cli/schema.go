package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/schema"
)

// rigFormat is the format whose schema lies with its reader.
const rigFormat = "rig"

func (a *app) schemaCommand() *cobra.Command {
	formats := append(schema.Names(), rigFormat)
	return &cobra.Command{
		Use:   "schema " + strings.Join(formats, "|"),
		Short: "Print the JSON schema of a format",
		Long: `Print the JSON schema (draft 2020-12) of a format: event (hilrig run --json,
events.jsonl, timeline.jsonl), list (hilrig list --json), record (run.json),
compare (hilrig compare --json), rig (rig.yaml; editors complete and check with it).`,
		Example: `  hilrig schema rig > rig.schema.json
  hilrig schema record`,
		Args:      exactly("FORMAT"),
		ValidArgs: formats,
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := schemaOf(args[0], formats)
			if err != nil {
				return err
			}
			_, err = unfiltered(a.out).Write(data)
			return err
		},
	}
}

func schemaOf(name string, formats []string) ([]byte, error) {
	switch {
	case name == rigFormat:
		return rigfile.Schema(), nil
	case slices.Contains(formats, name):
		return schema.Of(name)
	}
	fail := record.NewFailure(record.Usage, "no format "+name, "", nil)
	if near := wording.DidYouMean(name, formats); near != "" {
		return nil, fail.WithCure(near)
	}
	return nil, fail.WithCure("there is " + strings.Join(formats, ", "))
}

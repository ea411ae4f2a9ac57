package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/record/wording"
	"hilrig/reports/gate"
	"hilrig/reports/schema"
)

// handWritten are the formats that a person writes; each one's schema lies with its
// reader.
var handWritten = map[string]func() []byte{"rig": rigfile.Schema, "policy": gate.PolicySchema, "waivers": gate.WaiverSchema, "requirements": requirements.Schema}

func (a *app) schemaCommand() *cobra.Command {
	formats := append(schema.Names(), slices.Sorted(maps.Keys(handWritten))...)
	return &cobra.Command{
		Use:   "schema " + strings.Join(formats, "|"),
		Short: "Print the JSON schema of a format",
		Long: `Print the JSON schema (draft 2020-12) of a format: event (hilrig run --json,
events.jsonl, timeline.jsonl), list (hilrig list --json), record (run.json),
compare (hilrig compare --json), verdict (hilrig gate --json), pruned
(pruned.json), seal (the payload of seal.dsse); and of files that are written by
hand, for editors to complete and check with: rig (rig.yaml), policy and waivers
(hilrig gate), requirements (hilrig report).`,
		Example: `  hilrig schema rig > rig.schema.json
  hilrig schema record`,
		Args:      verb.Exactly("FORMAT"),
		ValidArgs: formats,
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := schemaOf(args[0], formats)
			if err != nil {
				return err
			}
			_, err = terminal.Unfiltered(a.Out).Write(data)
			return err
		},
	}
}

func schemaOf(name string, formats []string) ([]byte, error) {
	switch {
	case handWritten[name] != nil:
		return handWritten[name](), nil
	case slices.Contains(formats, name):
		return schema.Of(name)
	}
	fail := record.NewFailure(record.Usage, "no format "+name, "", nil)
	if near := wording.DidYouMean(name, formats); near != "" {
		return nil, fail.WithCure(near)
	}
	return nil, fail.WithCure("there is " + strings.Join(formats, ", "))
}

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hilrig/fixtures"
	"hilrig/suites"
)

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	var filter string
	var ids []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the specs: id, labels, time limit, needs",
		Long: `List the specs, in the order in which they run: id, labels, the named time
limit, what they need of the rig (L a hub that shows faults, P power control,
C the device type declares it), and the behaviour that they judge.`,
		Example: `  hilrig list
  hilrig list --label-filter smoke
  hilrig list --spec 'tls/*' --json`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			specs := a.catalogue
			if filter != "" || len(ids) > 0 {
				var err error
				if specs, err = suites.Select(specs, filter, ids); err != nil {
					return err
				}
			}
			if asJSON {
				return a.listJSON(specs)
			}
			return a.listTable(specs)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().StringVar(&filter, "label-filter", "", "only these, in Ginkgo's label language: 'core && !smoke'")
	cmd.Flags().StringArrayVar(&ids, "spec", nil, "only this id; tls/* takes an area (repeatable)")
	a.completeSpecs(cmd)
	return cmd
}

func (a *app) listTable(specs []fixtures.Spec) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tLABELS\tLIMIT\tNEEDS\tTHE DEVICE")
	for _, s := range specs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, dash(strings.Join(s.Labels, " ")), s.Limit, dash(needs(s)), s.Text)
	}
	return w.Flush()
}

func needs(s fixtures.Spec) string {
	var words []string
	for _, n := range s.Needs {
		words = append(words, string(n))
	}
	return strings.Join(words, " ")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (a *app) listJSON(specs []fixtures.Spec) error {
	type line struct {
		ID     string          `json:"id"`
		Text   string          `json:"text"`
		Labels []string        `json:"labels"`
		Needs  []fixtures.Need `json:"needs"`
		Limit  fixtures.Limit  `json:"limit"`
	}
	all := make([]line, 0, len(specs))
	for _, s := range specs {
		all = append(all, line{s.ID, s.Text, append([]string{}, s.Labels...), append([]fixtures.Need{}, s.Needs...), s.Limit})
	}
	return a.printJSON(all)
}

func (a *app) printJSON(v any) error {
	enc := a.encoder()
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// completeSpecs offers the ids to the shell.
func (a *app) completeSpecs(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("spec", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var ids []string
		for _, s := range a.catalogue {
			ids = append(ids, s.ID+"\t"+s.Text)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}) // fails only for a flag that is not there
}

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hilrig/azure/hub"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/suites"
)

func (a *app) listCommand() *cobra.Command {
	var asJSON, tap bool
	var filter, kind, rig string
	var ids []string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the specs: id, labels, time limit, needs",
		Long: `List the specs, in the order in which they run: id, labels, the named time
limit, what they need, and the behaviour that they judge.

A need is a letter, or several with a bar between them of which one will do.
P is power control, C that the device's type declares the behaviour. The others
are what a hub shows or can do: A messages that arrived, W handshakes, K every
MQTT packet, L faults, N a bad link, D ends a session, F refuses for a while,
S speaks to the device, R knows devices by thumbprint, B says what became of a
message to the device. The local hub has all that any spec asks for; --hub says
what applies at another kind, or with --rig at a hub of the rig file, and why the
rest does not.`,
		Example: `  hilrig list
  hilrig list --label-filter smoke
  hilrig list --spec 'tls/*' --json
  hilrig list --hub broker --tap
  hilrig list --rig bench.yaml --hub mosq`,
		Args: verb.Exactly(),
		RunE: func(*cobra.Command, []string) error {
			specs := a.Catalogue
			if filter != "" || len(ids) > 0 {
				var err error
				if specs, err = suites.Select(specs, filter, ids); err != nil {
					return err
				}
			}
			if kind == "" && rig == "" && tap {
				return record.NewFailure(record.Usage, "read", "--tap", fmt.Errorf("a tap stands in front of a hub")).WithCure("--hub broker --tap")
			}
			at, err := a.listedAt(rig, kind, tap)
			switch {
			case err != nil:
				return err
			case asJSON:
				return a.listJSON(specs, at)
			case at != nil:
				return a.listAt(specs, *at)
			}
			return a.listTable(specs)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().StringVar(&filter, "label-filter", "", "only these, in Ginkgo's label language: 'core && !smoke'")
	cmd.Flags().StringArrayVar(&ids, "spec", nil, "only this id; tls/* takes an area (repeatable)")
	cmd.Flags().StringVar(&kind, "hub", "", "say which apply at this kind of hub: "+strings.Join(hub.Kinds(), ", "))
	cmd.Flags().StringVar(&rig, "rig", "", "rig file that the hub is of; --hub then names one of its hubs")
	cmd.Flags().BoolVar(&tap, "tap", false, "with a tap in front of that hub")
	_ = cmd.RegisterFlagCompletionFunc("hub", cobra.FixedCompletions(hub.Kinds(), cobra.ShellCompDirectiveNoFileComp)) // fails only for a flag that is not there
	a.completeSpecs(cmd)
	return cmd
}

// listedHub is the hub that a list is held against.
type listedHub struct {
	name    string
	letters hub.Letters
}

// listedAt is the hub that is named: of the rig file, where there is one, and else
// of a kind.
func (a *app) listedAt(file, name string, tap bool) (*listedHub, error) {
	if file == "" {
		return atHub(name, tap)
	}
	rig, err := named.RigAt(file, name, a.Catalogue)
	if err != nil {
		return nil, err
	}
	return atHub(rig.Hub.Kind, tap || rig.Hub.Tap.On)
}

// atHub is the hub of a kind; nil where no kind is named.
func atHub(kind string, tap bool) (*listedHub, error) {
	if kind == "" {
		return nil, nil
	}
	letters, known := hub.OfKind(kind, tap)
	if !known {
		return nil, record.NewFailure(record.Usage, "read --hub", kind, fmt.Errorf("not one of %s", strings.Join(hub.Kinds(), ", "))).
			WithCure(wording.DidYouMean(kind, hub.Kinds()))
	}
	at := &listedHub{"the " + kind + " hub", letters}
	if tap {
		at.name += " behind a tap"
	}
	return at, nil
}

func (a *app) listTable(specs []fixtures.Spec) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tLABELS\tLIMIT\tNEEDS\tTHE DEVICE")
	for _, s := range specs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, terminal.OrDash(strings.Join(s.Labels, " ")), s.Limit, s.Needs, s.Text)
	}
	return w.Flush()
}

// listAt says of each spec whether it applies at a hub, and how many do.
func (a *app) listAt(specs []fixtures.Spec, at listedHub) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "ID\tLABELS\tNEEDS\tAT %s\n", strings.ToUpper(at.name))
	for _, s := range specs {
		why := "applies"
		if not := s.WhyNotAt(at.letters); not != "" {
			why = "not applicable: " + not
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.ID, terminal.OrDash(strings.Join(s.Labels, " ")), s.Needs, why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	n := suites.CountAt(specs, at.letters)
	_, err := fmt.Fprintf(a.Out, "\n%s at %s: %s of core, %s without soak\n", n.All, at.name, n.Core, n.Default)
	return err
}

func (a *app) listJSON(specs []fixtures.Spec, at *listedHub) error {
	type line struct {
		ID       string         `json:"id"`
		Text     string         `json:"text"`
		Labels   []string       `json:"labels"`
		Needs    fixtures.Needs `json:"needs"`
		Limit    fixtures.Limit `json:"limit"`
		Measures []string       `json:"measures,omitempty"`
		Applies  *bool          `json:"applies,omitempty"` // at the hub that was asked for
		WhyNot   string         `json:"why_not,omitempty"`
	}
	all := make([]line, 0, len(specs))
	for _, s := range specs {
		l := line{ID: s.ID, Text: s.Text, Labels: append([]string{}, s.Labels...), Needs: append(fixtures.Needs{}, s.Needs...), Limit: s.Limit, Measures: s.Measures}
		if at != nil {
			l.WhyNot = s.WhyNotAt(at.letters)
			applies := l.WhyNot == ""
			l.Applies = &applies
		}
		all = append(all, l)
	}
	return a.PrintJSON(all)
}

// completeSpecs offers the ids to the shell.
func (a *app) completeSpecs(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("spec", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var ids []string
		for _, s := range a.Catalogue {
			ids = append(ids, s.ID+"\t"+s.Text)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}) // fails only for a flag that is not there
}

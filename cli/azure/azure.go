package azure

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/registry"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/fixtures/rigfile"
	"hilrig/runner"
)

// verbs are those of this room.
type verbs struct {
	*verb.App
	manager Manager
}

// Command is the verb azure with those below it, which ask a manager.
func Command(on *verb.App, m Manager) *cobra.Command {
	a := verbs{on, m}
	cmd := &cobra.Command{
		Use:   "azure",
		Short: "Do the guide's steps in the Azure portal by command",
		Long: `What the manufacturer's guide does in Azure's portal, by command. check, device
and sweep take the hub of a rig file; hub and certificate ask as whoever this
machine is signed in as: az login, or the variables AZURE_TENANT_ID,
AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.`,
		Example: `  hilrig azure check --rig rig.yaml
  hilrig azure sweep --rig rig.yaml
  hilrig azure hub show --resource ID
  hilrig azure certificate list --resource ID`,
		Args: verb.Subject,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.check(), a.device(), a.sweep(), a.hub(), a.certificate())
	return cmd
}

// flags say which hub is meant, and how it is told.
type flags struct {
	rig, hub       string
	dryRun, asJSON bool
}

func (f *flags) register(cmd *cobra.Command, changes bool) {
	cmd.Flags().StringVar(&f.rig, "rig", "", "the rig file")
	cmd.Flags().StringVar(&f.hub, "hub", rigfile.KindAzure, "the hub's name in the rig file")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON on standard output, nothing else")
	if changes {
		cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done; change nothing")
	}
}

// hubNamed is the rig's hub of kind azure.
func (a verbs) hubNamed(f *flags, verb string) (h rigfile.Hub, err error) {
	rig, err := named.RigOfKind(rigfile.KindAzure, f.rig, f.hub, verb, a.Catalogue)
	if err != nil {
		return h, err
	}
	return rig.Hub, nil
}

// onRegistry opens the registry of a hub for a verb.
func (a verbs) onRegistry(cmd *cobra.Command, f *flags, verb string, do func(context.Context, rigfile.Hub, *registry.Client) error) error {
	h, err := a.hubNamed(f, verb)
	if err != nil {
		return err
	}
	client, err := runner.RegistryOf(h, a.Log)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, stop := a.UntilSignal(cmd.Context())
	defer stop()
	return do(ctx, h, client)
}

// change is what a verb did, or would do.
type change struct {
	Device string `json:"device"`
	What   string `json:"what"`
	Error  string `json:"error,omitempty"`
}

// tell prints changes; none are said in words.
func (a verbs) tell(f *flags, none string, changes ...change) error {
	if f.asJSON {
		return a.Encoder().Encode(changes)
	}
	if len(changes) == 0 {
		fmt.Fprintln(a.Out, none)
	}
	for _, c := range changes {
		fmt.Fprintf(a.Out, "%s  %s", c.Device, c.What)
		if c.Error != "" {
			fmt.Fprintf(a.Out, "  %s", terminal.OneLine(c.Error))
		}
		fmt.Fprintln(a.Out)
	}
	return nil
}

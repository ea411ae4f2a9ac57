package azure

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/arm"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
)

// armFlags are those of every verb that speaks to Azure Resource Manager.
type armFlags struct {
	resource          string
	json, dryRun, yes bool
}

func (f *armFlags) add(cmd *cobra.Command, changes bool) *cobra.Command {
	fl := cmd.Flags()
	fl.StringVar(&f.resource, "resource", "", "the hub's resource id; the portal shows it: IoT Hub, Properties, Resource ID")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	if changes {
		fl.BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and do nothing")
		fl.BoolVar(&f.yes, "yes", false, "do not ask")
	}
	return cmd
}

// with runs a step with a client of the hub that the flags name.
func (f *armFlags) with(a verbs, cmd *cobra.Command, step func(context.Context, *arm.Client, arm.ID) error) error {
	if err := verb.Required(cmd, "resource"); err != nil {
		return err
	}
	id, err := arm.ParseID(f.resource)
	if err != nil {
		return err
	}
	c, err := a.manager.open(id)
	if err != nil {
		return err
	}
	ctx, stop := a.UntilSignal(cmd.Context())
	defer stop()
	return step(ctx, c, id)
}

// Manager opens Azure Resource Manager for a hub; nil does so as whoever this
// machine is signed in.
type Manager func(arm.ID) (*arm.Client, error)

func (m Manager) open(id arm.ID) (*arm.Client, error) {
	if m != nil {
		return m(id)
	}
	way, err := access.Entra(id.Name, access.EntraOptions{})
	if err != nil {
		return nil, err
	}
	return arm.New(id, way, arm.Options{})
}

// agreed says what would be done, with a warning, and reports whether to do it.
func (a verbs) agreed(ctx context.Context, f *armFlags, what, warning string) (bool, error) {
	if warning != "" {
		fmt.Fprintf(a.Err, "warning: %s\n", warning)
	}
	if f.dryRun && f.json {
		return false, a.Encoder().Encode(map[string]string{"would": what})
	}
	if f.dryRun {
		fmt.Fprintf(a.Out, "would %s\n", terminal.OneLine(what))
		return false, nil
	}
	if f.yes || a.Ask(ctx, bufio.NewReader(a.In), terminal.OneLine(what)+"?") {
		return true, nil
	}
	return false, record.NewFailure(record.Usage, "change", f.resource, errors.New("nothing was done: nobody said yes")).WithCure("--yes does not ask")
}

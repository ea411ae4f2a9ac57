package azure

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub"
	"hilrig/azure/iothub/registry"
	"hilrig/cli/verb"
	"hilrig/fixtures/rigfile"
	"hilrig/runner"
)

func (a verbs) sweep() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Remove what runs that were killed left registered",
		Long: `Remove the devices that runs of this machine made at the hub and could not remove
any more, or put back what they adopted. They stand in journals in the state
folder, and a device that does not have the run's mark any more (statusReason) is
left alone. Every run does this first.

It replaces looking through IoT Hub, Devices, in the portal.`,
		Example: "  hilrig azure sweep --rig rig.yaml",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onRegistry(cmd, f, "hilrig azure sweep", func(ctx context.Context, h rigfile.Hub, client *registry.Client) error {
				state, err := runner.StateDir()
				if err != nil {
					return err
				}
				sweep := iothub.Sweep
				if f.dryRun {
					sweep = iothub.Abandoned
				}
				swept, err := sweep(ctx, client, iothub.Folder(state, h.Host), a.Log)
				changes := []change{}
				for _, s := range swept {
					c := change{Device: s.DeviceID, What: s.What}
					if s.Err != nil {
						c.Error, a.Code = s.Err.Error(), runner.ExitRig
					}
					changes = append(changes, c)
				}
				return errors.Join(err, a.tell(f, "nothing is left behind", changes...))
			})
		},
	}
	f.register(cmd, true)
	return cmd
}

package azure

import (
	"context"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/fixtures/rigfile"
	"hilrig/runner"
)

func (a verbs) check() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what at the IoT Hub would make a run fail, each with its cure",
		Long: `Go the way of a run up to the device, and write nothing: the hub's name, its
port 8883, TLS and the root to load, the device registry (port 443) with its
clock and the events (port 5671) with the rights that were given. With
resource_id in the hub's entry also tier, quota left, access by key, private
link, address rules, routes that telemetry does not come through, and the MQTT 5
profile. Exit code 3 when something is bad.

It replaces looking for these in the portal: Overview (host name), Pricing and
scale, Shared access policies (rights), Built-in endpoints (consumer group),
Message routing, Networking.`,
		Example: "  hilrig azure check --rig rig.yaml\n  hilrig azure check --rig rig.yaml --hub azure --json",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.hubNamed(f, "hilrig azure check")
			if err != nil {
				return err
			}
			ctx, stop := a.UntilSignal(cmd.Context())
			defer stop()
			found := a.lookAt(ctx, h)
			if ctx.Err() != nil {
				return verb.ErrInterrupted
			}
			a.Judge(found)
			if f.asJSON {
				return a.Encoder().Encode(found)
			}
			a.PrintResults(found)
			return nil
		},
	}
	f.register(cmd, false)
	return cmd
}

// lookAt is a hub's check as doctor's results.
func (a verbs) lookAt(ctx context.Context, h rigfile.Hub) (found []doctor.Result) {
	c, err := runner.AzureOf(h, a.Log)
	all := []iothub.Finding{{Err: err}}
	if err == nil {
		all = append(c.Check(ctx), a.lookAtManaged(ctx, c, h)...)
	}
	for _, f := range all {
		r := doctor.Result{State: doctor.OK, What: f.What, Cure: f.Cure}
		if f.Cure != "" {
			r.State = doctor.Warn
		}
		if f.Err != nil {
			r = doctor.Failed(f.Err)
		}
		r.Name = "azure"
		found = append(found, r)
	}
	return found
}

// lookAtManaged is what Azure Resource Manager knows of the hub.
func (a verbs) lookAtManaged(ctx context.Context, c iothub.Config, h rigfile.Hub) []iothub.Finding {
	if h.ResourceID == "" {
		return []iothub.Finding{{What: "tier, quota, access by key, networking and routes are not read: the hub's entry has no resource_id",
			Cure: "resource_id: ID in the hub's entry (Azure portal, IoT Hub, Properties), and az login as somebody who may read the hub"}}
	}
	ctx, cancel := context.WithTimeout(ctx, quotaWithin)
	defer cancel()
	is, q, err := a.manager.managed(ctx, h.ResourceID)
	if err != nil {
		return []iothub.Finding{{Err: err}}
	}
	keys := h.Registry != nil && !h.Registry.Entra || !h.Events.Entra
	return c.CheckManaged(iothub.Managed{Hub: is, Quota: q, Keys: keys})
}

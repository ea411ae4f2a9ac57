package azure

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/arm"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
)

func (a verbs) hub() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "hub",
		Short:   "Look at an IoT Hub, create one",
		Example: "  hilrig azure hub show --resource ID\n  hilrig azure hub create --resource ID --location westeurope --dry-run",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.hubShow(), a.hubCreate())
	return cmd
}

func (a verbs) hubShow() *cobra.Command {
	f := &armFlags{}
	return f.add(&cobra.Command{
		Use:   "show --resource ID",
		Short: "Show a hub's tier, quota, TLS, access and routes",
		Long: `Show what of an IoT Hub decides what a rig can do there: tier and quota, the
least version of TLS, whether keys are taken, who may come in, and whether
telemetry arrives at the built-in endpoint. It replaces the portal's pages
Overview, Pricing and scale, Networking and Message routing. The hub is only
read.`,
		Example: `  hilrig azure hub show --resource /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Devices/IotHubs/NAME
  hilrig azure hub show --resource ID --json`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(a, cmd, func(ctx context.Context, c *arm.Client, _ arm.ID) error {
				h, err := c.Hub(ctx)
				if err != nil {
					return err
				}
				q, err := c.Quota(ctx)
				if err != nil {
					return err
				}
				return a.showHub(h, q, f.json)
			})
		},
	}, false)
}

func (a verbs) showHub(h arm.Hub, q arm.Quota, asJSON bool) error {
	if asJSON {
		return a.Encoder().Encode(struct {
			arm.Hub
			Quota     arm.Quota `json:"quota"`
			Swallowed string    `json:"swallowed,omitempty"`
		}{h, q, h.Swallowed()})
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"hub", fmt.Sprintf("%s, %s, %s", h.HostName, h.Location, h.State)},
		{"TLS 1.3 at", h.DeviceHostName},
		{"tier", fmt.Sprintf("%s %s, %d unit(s)%s", h.SKU, h.Tier, h.Units, map[bool]string{true: "; no twins, methods and messages to the device"}[h.Tier == "Basic"])},
		{"messages today", fmt.Sprintf("%d of %d", q.Messages, q.MaxMessages)},
		{"devices", fmt.Sprintf("%d of %d", q.Devices, q.MaxDevices)},
		{"least TLS", cmp.Or(h.MinimumTLS, "the service's own")},
		{"keys", map[bool]string{true: "are taken", false: "are not taken: by Entra alone"}[h.LocalAuth]},
		{"public access", map[bool]string{true: "yes", false: "no: by private link alone"}[h.PublicAccess]},
		{"IP rules", strings.Join(h.IPRules, ", ") + map[bool]string{true: " (for the built-in endpoint too)"}[len(h.IPRules) > 0 && h.IPRulesForEvents]},
		{"device registry", h.Linked},
		{"events", fmt.Sprintf("%s %s, %d partitions", h.EventsEndpoint, h.EventsPath, h.Partitions)},
		{"warning", h.Swallowed()},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], terminal.OneLine(line[1]))
		}
	}
	for _, r := range h.Routes {
		fmt.Fprintf(w, "route %s\t%s where %s to %s%s\n", terminal.OneLine(r.Name), terminal.OneLine(r.Source), terminal.OneLine(cmp.Or(r.Condition, "true")), terminal.OneLine(strings.Join(r.Endpoints, ", ")), map[bool]string{false: ", off"}[r.Enabled])
	}
	return w.Flush()
}

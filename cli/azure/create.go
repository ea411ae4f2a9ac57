package azure

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/arm"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
)

func (a verbs) hubCreate() *cobra.Command {
	f, n := &armFlags{}, arm.NewHub{}
	cmd := f.add(&cobra.Command{
		Use:   "create --resource ID --location REGION",
		Short: "Create an IoT Hub where there is none",
		Long: `Create an IoT Hub with minimum TLS version 1.2, on the free tier where nothing else
is asked for (F1: 8000 messages a day, one for a subscription; it cannot become a
paid one later). What it costs is said and asked. The resource group must be
there. A hub that is there already is only ever read: this is an error then, and
nothing is sent.

It replaces Create a resource, IoT Hub in the portal: Basics, Management (tier) and
Networking (minimum TLS version).`,
		Example: `  hilrig azure hub create --resource /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Devices/IotHubs/NAME --location westeurope --dry-run
  hilrig azure hub create --resource ID --location westeurope --sku S1 --yes`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "resource", "location"); err != nil {
				return err
			}
			costs, err := monthly(n)
			if err != nil {
				return verb.Usage(cmd, err)
			}
			return f.with(a, cmd, func(ctx context.Context, c *arm.Client, id arm.ID) error {
				if err := c.Vacant(ctx); err != nil {
					return err
				}
				what := fmt.Sprintf("create IoT Hub %s in %s, %d unit(s) of %s, minimum TLS 1.2: %s", id.Name, n.Location, n.Units, n.SKU, costs)
				if agreed, err := a.agreed(ctx, f, what, ""); !agreed {
					return err
				}
				h, err := c.CreateHub(ctx, n)
				if err != nil {
					return err
				}
				if f.json {
					return a.Encoder().Encode(h)
				}
				fmt.Fprintf(a.Out, "created %s\n", terminal.OneLine(fmt.Sprintf("%s, %s, minimum TLS %s, %s", h.HostName, h.SKU, h.MinimumTLS, h.Location)))
				return nil
			})
		},
	}, true)
	fl := cmd.Flags()
	fl.StringVar(&n.Location, "location", "", "the Azure region; az account list-locations shows them")
	fl.StringVar(&n.SKU, "sku", "F1", "the tier: "+strings.Join(arm.Editions(), ", "))
	fl.Int64Var(&n.Units, "units", 1, "how many units of it")
	return cmd
}

// monthly says what a hub costs.
func monthly(n arm.NewHub) (string, error) {
	e, known := arm.EditionOf(n.SKU)
	switch {
	case !known:
		return "", fmt.Errorf("--sku %q: want one of %s", n.SKU, strings.Join(arm.Editions(), ", "))
	case n.Units < 1:
		return "", fmt.Errorf("--units %d: want 1 or more", n.Units)
	case e.USD == 0 && n.Units > 1:
		return "", fmt.Errorf("--units %d: %s has one unit", n.Units, n.SKU)
	case e.USD == 0:
		return n.SKU + " costs nothing", nil
	}
	return fmt.Sprintf("%d USD a month (list price) until it is deleted, whatever is sent", int64(e.USD)*n.Units), nil
}

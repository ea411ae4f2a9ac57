package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/arm"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
)

func (a *app) azureCommand() *cobra.Command {
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
	cmd.AddCommand(a.azureCheck(), a.azureDevice(), a.azureSweep(), a.azureHub(), a.azureCertificate())
	return cmd
}

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
func (f *armFlags) with(a *app, cmd *cobra.Command, step func(context.Context, *arm.Client, arm.ID) error) error {
	if err := verb.Required(cmd, "resource"); err != nil {
		return err
	}
	id, err := arm.ParseID(f.resource)
	if err != nil {
		return err
	}
	c, err := a.managerOf(id)
	if err != nil {
		return err
	}
	ctx, stop := a.UntilSignal(cmd.Context())
	defer stop()
	return step(ctx, c, id)
}

// managerOf is Azure Resource Manager, as whoever this machine is signed in.
func (a *app) managerOf(id arm.ID) (*arm.Client, error) {
	if a.manager != nil {
		return a.manager(id)
	}
	way, err := access.Entra(id.Name, access.EntraOptions{})
	if err != nil {
		return nil, err
	}
	return arm.New(id, way, arm.Options{})
}

func (a *app) azureHub() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "hub",
		Short:   "Look at an IoT Hub, create one",
		Example: "  hilrig azure hub show --resource ID\n  hilrig azure hub create --resource ID --location westeurope --dry-run",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.azureHubShow(), a.azureHubCreate())
	return cmd
}

func (a *app) azureHubShow() *cobra.Command {
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

func (a *app) showHub(h arm.Hub, q arm.Quota, asJSON bool) error {
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

func (a *app) azureCertificate() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "certificate",
		Short:   "List, add and remove the certificates that a hub trusts to sign devices'",
		Example: "  hilrig azure certificate list --resource ID",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.azureCertificateList(), a.azureCertificateAdd(), a.azureCertificateRemove())
	return cmd
}

func (a *app) azureCertificateList() *cobra.Command {
	f := &armFlags{}
	return f.add(&cobra.Command{
		Use:     "list --resource ID",
		Short:   "List the certificates that a hub trusts",
		Long:    "List what the portal shows at IoT Hub, Security settings, Certificates.",
		Example: "  hilrig azure certificate list --resource ID",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(a, cmd, func(ctx context.Context, c *arm.Client, _ arm.ID) error {
				all, err := c.Certificates(ctx)
				if err != nil {
					return err
				}
				if f.json {
					return a.Encoder().Encode(all)
				}
				w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
				for _, one := range all {
					fmt.Fprintln(w, strings.Join(certificateLine(one), "\t"))
				}
				return w.Flush()
			})
		},
	}, false)
}

func certificateLine(c arm.Certificate) []string {
	return []string{
		terminal.OneLine(c.Name), map[bool]string{true: "verified", false: "not verified"}[c.Verified], "until " + c.Expires.UTC().Format(time.DateOnly), c.Thumbprint, terminal.OneLine(c.Subject),
	}
}

func (a *app) azureCertificateAdd() *cobra.Command {
	f := &armFlags{}
	return f.add(&cobra.Command{
		Use:   "add NAME FILE --resource ID",
		Short: "Upload a certificate and mark it verified",
		Long: `Upload a certificate and mark it verified, as the guide does in section 4 in the
portal: IoT Hub, Security settings, Certificates, Add, "Set certificate status to
verified on upload".

A device that is registered by thumbprint needs none of it. A certificate that is
CA:TRUE, as openssl req -x509 makes them and the guide's are, lets whoever has its
key make certificates for every device that the hub registers as X.509 CA signed:
it is said and asked. One of that name is never replaced by another.`,
		Example: `  hilrig azure certificate add NewDevice identity/device.pem --resource ID
  hilrig azure certificate add NewDevice identity/device.pem --resource ID --dry-run`,
		Args: verb.Exactly("NAME", "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			certificate, err := named.Certificate(args[1])
			if err != nil {
				return err
			}
			return f.with(a, cmd, func(ctx context.Context, c *arm.Client, id arm.ID) error {
				what := fmt.Sprintf("upload %s as %s to %s, marked verified", args[1], args[0], id.Name)
				if agreed, err := a.agreed(ctx, f, what, arm.SignsDevices(certificate)); !agreed {
					return err
				}
				added, err := c.AddCertificate(ctx, args[0], certificate)
				if err != nil {
					return err
				}
				if f.json {
					return a.Encoder().Encode(added)
				}
				fmt.Fprintln(a.Out, strings.Join(certificateLine(added), "  "))
				return nil
			})
		},
	}, true)
}

// agreed says what would be done, with a warning, and reports whether to do it.
func (a *app) agreed(ctx context.Context, f *armFlags, what, warning string) (bool, error) {
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

func (a *app) azureCertificateRemove() *cobra.Command {
	f := &armFlags{}
	return f.add(&cobra.Command{
		Use:   "remove NAME --resource ID",
		Short: "Remove a certificate that a hub trusts",
		Long: `Remove a certificate from a hub, as the portal does at IoT Hub, Security
settings, Certificates, Delete. Devices whose certificates it signed are refused
from then on.`,
		Example: "  hilrig azure certificate remove NewDevice --resource ID",
		Args:    verb.Exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(a, cmd, func(ctx context.Context, c *arm.Client, id arm.ID) error {
				if agreed, err := a.agreed(ctx, f, fmt.Sprintf("remove certificate %s of %s", args[0], id.Name), ""); !agreed {
					return err
				}
				if err := c.RemoveCertificate(ctx, args[0]); err != nil {
					return err
				}
				if f.json {
					return a.Encoder().Encode(map[string]string{"removed": args[0]})
				}
				fmt.Fprintf(a.Out, "removed %s\n", terminal.OneLine(args[0]))
				return nil
			})
		},
	}, true)
}

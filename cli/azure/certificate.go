package azure

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub/arm"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
)

func (a verbs) certificate() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "certificate",
		Short:   "List, add and remove the certificates that a hub trusts to sign devices'",
		Example: "  hilrig azure certificate list --resource ID",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.certificateList(), a.certificateAdd(), a.certificateRemove())
	return cmd
}

func (a verbs) certificateList() *cobra.Command {
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

func (a verbs) certificateAdd() *cobra.Command {
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

func (a verbs) certificateRemove() *cobra.Command {
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

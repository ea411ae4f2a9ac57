package cli

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"hilrig/certs"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
)

func (a *app) certsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "certs",
		Short: "Make, show and check identities",
		Example: `  hilrig certs new --device-id NewDevice --out identity
  hilrig certs show identity/device.pem
  hilrig certs check --root root.pem --certificate identity/device.pem --key identity/device.key`,
		Args: verb.Subject,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.certsNew(), a.certsShow(), a.certsCheck())
	return cmd
}

func (a *app) certsNew() *cobra.Command {
	var spec certs.IdentitySpec
	var out string
	var pkcs1 bool
	cmd := &cobra.Command{
		Use:   "new --device-id ID --out DIR",
		Short: "Make a self-signed identity: RSA 2048, SHA-256, 365 days",
		Long: `Make a self-signed identity as the manufacturer's guide does with openssl:
device.crt, device.pem (the same certificate, as the guide names it) and
device.key, which only you can read. Nothing is overwritten.`,
		Example: "  hilrig certs new --device-id NewDevice --out identity",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "device-id", "out"); err != nil {
				return err
			}
			if pkcs1 {
				spec.KeyForm = certs.PKCS1
			}
			return a.newIdentity(cmd, spec, out)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&spec.DeviceID, "device-id", "", "the device's id in the hub; the certificate's common name")
	fl.StringVar(&out, "out", "", "folder for the three files")
	fl.IntVar(&spec.Days, "days", 365, "validity")
	fl.IntVar(&spec.Bits, "bits", 2048, "size of the RSA key")
	fl.BoolVar(&pkcs1, "pkcs1", false, "write the key as RSA PRIVATE KEY, as openssl did in the guide's days")
	return cmd
}

func (a *app) newIdentity(cmd *cobra.Command, spec certs.IdentitySpec, out string) error {
	if err := named.DeviceID("read", "--device-id", spec.DeviceID); err != nil {
		return err
	}
	switch {
	case spec.Days < 1 || spec.Days > 36500:
		return verb.Usage(cmd, fmt.Errorf("--days %d is not within 1 and 36500", spec.Days))
	case spec.Bits < 2048 || spec.Bits > 8192:
		return verb.Usage(cmd, fmt.Errorf("--bits %d is not within 2048 and 8192", spec.Bits))
	}
	id, err := certs.NewIdentity(cmd.Context(), spec)
	if err != nil {
		return err
	}
	if err := id.Write(out); err != nil {
		return err
	}
	for _, name := range []string{"device.crt", "device.pem", "device.key"} {
		fmt.Fprintln(a.Out, filepath.Join(out, name))
	}
	t := certs.ThumbprintsOf(id.Certificate)
	fmt.Fprintf(a.Out, "SHA-1 thumbprint    %s\nSHA-256 thumbprint  %s\n", t.SHA1, t.SHA256)
	return nil
}

func (a *app) certsShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show FILE",
		Short:   "Show a certificate, with its thumbprints as Azure wants them",
		Example: "  hilrig certs show identity/device.pem",
		Args:    verb.Exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := named.Certificate(args[0])
			if err != nil {
				return err
			}
			if doubt := certs.Doubt(c); doubt != "" {
				fmt.Fprintf(a.Err, "warning: %s: %s\n", args[0], terminal.OneLine(doubt))
			}
			w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			for _, d := range certs.DescribeCertificate(c) {
				fmt.Fprintf(w, "%s\t%s\n", d.Name, terminal.OneLine(d.Value))
			}
			return w.Flush()
		},
	}
}

func (a *app) certsCheck() *cobra.Command {
	var root, certificate, key, hub string
	cmd := &cobra.Command{
		Use:   "check --root F --certificate F --key F",
		Short: "Check the three files of a device before it is touched",
		Long: `Check that a root, a certificate and a private key are what a device can be
given: readable, of the right kind, within their dates, the key fits the
certificate, and the form survives the terminal. With --hub-certificate also
that the root signs that hub.`,
		Example: `  hilrig certs check --root root.pem --certificate identity/device.pem --key identity/device.key
  hilrig certs check --root root.pem --certificate identity/device.pem --key identity/device.key --hub-certificate hub.pem`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "root", "certificate", "key"); err != nil {
				return err
			}
			files, err := certs.CheckFiles(root, certificate, key)
			if err != nil {
				return err
			}
			if err := checkOwner(files, certificate); err != nil {
				return err
			}
			a.warn(files)
			if hub != "" {
				if err := checkHub(files, root, hub); err != nil {
					return err
				}
			}
			t := certs.ThumbprintsOf(files.Identity.Certificate)
			fmt.Fprintf(a.Out, "device id           %s\nSHA-1 thumbprint    %s\nSHA-256 thumbprint  %s\nvalid until         %s\nall three files can be loaded\n",
				files.Identity.DeviceID, t.SHA1, t.SHA256, files.Identity.Certificate.NotAfter.UTC().Format(time.RFC3339))
			return nil
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&root, "root", "", "the hub's root certificate, for 9270,10")
	fl.StringVar(&certificate, "certificate", "", "the device's certificate, for 9270,20")
	fl.StringVar(&key, "key", "", "the device's private key, for 9270,30")
	fl.StringVar(&hub, "hub-certificate", "", "the hub's certificate, with what is between it and the root")
	return cmd
}

// checkHub refuses a root that does not sign the hub.
func checkHub(files certs.Files, root, hub string) error {
	data, err := certs.ReadFile(hub)
	if err != nil {
		return certs.Unread("read hub certificate", hub, err)
	}
	chain, err := certs.ParseChain(data)
	if err != nil {
		return record.NewFailure(record.Usage, "read hub certificate", hub, err).WithCure(certs.Cure(err, certs.KindCertificate, hub))
	}
	if err := certs.RootSigns(files.Root, chain); err != nil {
		return record.NewFailure(record.Usage, "check root", root, fmt.Errorf("it does not sign the hub's certificate in %s: %w", hub, err)).
			WithCure("load the root that the hub's chain ends in")
	}
	return nil
}

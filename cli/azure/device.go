package azure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/iothub"
	"hilrig/azure/iothub/registry"
	"hilrig/certs"
	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

func (a verbs) device() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "device",
		Short:   "Register a device by its certificate, list and show, send to it, remove it",
		Example: "  hilrig azure device show NewDevice --rig rig.yaml",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.deviceAdd(), a.deviceList(), a.deviceShow(), a.deviceRemove(), a.deviceSend())
	return cmd
}

func (a verbs) deviceList() *cobra.Command {
	f, left := &flags{}, false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the devices of the registry, or what runs left there",
		Long: `List the registry's devices, as a query finds them: what was registered seconds ago
is not among them yet. With --left those alone that a run made or adopted, and
whose time is over: sweep removes them on the machine that has the journal of
that run, and device remove anywhere, by id. One that was adopted is somebody
else's: it is not told from one that was made.

It replaces IoT Hub, Devices in the portal. The policy needs service connect.`,
		Example: "  hilrig azure device list --rig rig.yaml\n  hilrig azure device list --rig rig.yaml --left",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onRegistry(cmd, f, cmd.CommandPath(), func(ctx context.Context, _ rigfile.Hub, r *registry.Client) error {
				found, err := r.Query(ctx, "SELECT * FROM devices")
				if err != nil {
					return err
				}
				changes := []change{}
				for _, t := range found {
					if !left || iothub.Left(t.StatusReason, time.Now()) {
						changes = append(changes, change{Device: t.DeviceID, What: listed(t)})
					}
				}
				return a.tell(f, "no device", changes...)
			})
		},
	}
	f.register(cmd, false)
	cmd.Flags().BoolVar(&left, "left", false, "only those of runs whose time is over")
	return cmd
}

// listed is a device of a query on one line.
func listed(t registry.Twin) string {
	words := []string{t.Status, map[bool]string{true: "Connected", false: "Disconnected"}[t.Connected]}
	if t.StatusReason != "" {
		words = append(words, fmt.Sprintf("statusReason %q", t.StatusReason))
	}
	return strings.Join(words, ", ")
}

// onDevice opens the registry for a verb on one device.
func (a verbs) onDevice(cmd *cobra.Command, f *flags, id string, do func(context.Context, *registry.Client) error) error {
	if err := named.DeviceID("name", "device", id); err != nil {
		return err
	}
	return a.onRegistry(cmd, f, cmd.CommandPath()+" "+id, func(ctx context.Context, _ rigfile.Hub, r *registry.Client) error { return do(ctx, r) })
}

func (a verbs) deviceAdd() *cobra.Command {
	f, file := &flags{}, ""
	cmd := &cobra.Command{
		Use:   "add ID",
		Short: "Register a device with the thumbprint of its certificate",
		Long: `Register a device that signs in by X.509, self-signed, with the SHA-256
thumbprint of its certificate. One that is there already is an error. It stays
until somebody removes it: runs use such a device with adopt: true only.

It replaces IoT Hub, Devices, Add Device, X.509 Self-Signed in the portal, and
copying the thumbprint from openssl.`,
		Example: "  hilrig azure device add NewDevice --certificate device.crt --rig rig.yaml",
		Args:    verb.Exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := verb.Required(cmd, "certificate"); err != nil {
				return err
			}
			certificate, err := named.Certificate(file)
			if err != nil {
				return err
			}
			d := registry.Device{ID: args[0], PrimaryThumbprint: certs.ThumbprintsOf(certificate).SHA256}
			d.SecondaryThumbprint = d.PrimaryThumbprint
			return a.onDevice(cmd, f, args[0], func(ctx context.Context, r *registry.Client) error {
				what := "would be registered with thumbprint " + d.PrimaryThumbprint
				if !f.dryRun {
					if _, err := r.Create(ctx, d); err != nil {
						return err
					}
					what = "registered with thumbprint " + d.PrimaryThumbprint
				}
				return a.tell(f, "", change{Device: d.ID, What: what})
			})
		},
	}
	f.register(cmd, true)
	cmd.Flags().StringVar(&file, "certificate", "", "the device's certificate")
	return cmd
}

func (a verbs) deviceShow() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Say how a device is registered",
		Long: `Say whether a device is enabled, how it signs in, with which thumbprints, whether
it is connected, and whether a rig made it.

It replaces IoT Hub, Devices, and the device's page in the portal.`,
		Example: "  hilrig azure device show NewDevice --rig rig.yaml",
		Args:    verb.Exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onDevice(cmd, f, args[0], func(ctx context.Context, r *registry.Client) error {
				d, err := r.Get(ctx, args[0])
				if err != nil {
					return err
				}
				return a.tell(f, "", change{Device: d.ID, What: inWords(d)})
			})
		},
	}
	f.register(cmd, false)
	return cmd
}

// inWords is a device on one line.
func inWords(d registry.Device) string {
	words := []string{d.Status, d.ConnectionState, "signs in by " + d.AuthenticationType}
	for _, p := range []string{d.PrimaryThumbprint, d.SecondaryThumbprint} {
		if p != "" {
			words = append(words, "thumbprint "+p)
		}
	}
	if d.StatusReason != "" {
		words = append(words, fmt.Sprintf("statusReason %q", d.StatusReason))
	}
	return strings.Join(words, ", ")
}

func (a verbs) deviceRemove() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a device from the registry",
		Long: `Remove a device as it is when it is read: one that somebody changes meanwhile
stays. One that a run uses at present is not removed.

It replaces IoT Hub, Devices, Delete in the portal.`,
		Example: "  hilrig azure device remove NewDevice --rig rig.yaml --dry-run",
		Args:    verb.Exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onDevice(cmd, f, args[0], func(ctx context.Context, r *registry.Client) error {
				d, err := r.Get(ctx, args[0])
				if err != nil {
					return err
				}
				if why := iothub.InUse(d); why != "" {
					return record.NewFailure(record.RigCloud, "remove", d.ID, errors.New(why)).WithCure("wait until that run is over; hilrig azure sweep removes what a killed run left")
				}
				if f.dryRun {
					return a.tell(f, "", change{Device: d.ID, What: "would be removed: " + inWords(d)})
				}
				if err := r.Delete(ctx, d.ID, d.ETag); err != nil {
					return err
				}
				return a.tell(f, "", change{Device: d.ID, What: "removed"})
			})
		},
	}
	f.register(cmd, true)
	return cmd
}

package cli

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
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/runner"
)

// azureFlags say which hub is meant, and how it is told.
type azureFlags struct {
	rig, hub       string
	dryRun, asJSON bool
}

func (f *azureFlags) register(cmd *cobra.Command, changes bool) {
	cmd.Flags().StringVar(&f.rig, "rig", "", "the rig file")
	cmd.Flags().StringVar(&f.hub, "hub", rigfile.KindAzure, "the hub's name in the rig file")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON on standard output, nothing else")
	if changes {
		cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done; change nothing")
	}
}

// named is the rig's hub of kind azure.
func (a *app) named(f *azureFlags, verb string) (h rigfile.Hub, err error) {
	rig, err := named.RigOfKind(rigfile.KindAzure, f.rig, f.hub, verb, a.Catalogue)
	if err != nil {
		return h, err
	}
	return rig.Hub, nil
}

func (a *app) azureCheck() *cobra.Command {
	f := &azureFlags{}
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
			h, err := a.named(f, "hilrig azure check")
			if err != nil {
				return err
			}
			ctx, stop := a.UntilSignal(cmd.Context())
			defer stop()
			found := a.lookAtAzure(ctx, h)
			if ctx.Err() != nil {
				return verb.ErrInterrupted
			}
			a.judge(found)
			if f.asJSON {
				return a.Encoder().Encode(found)
			}
			a.printResults(found)
			return nil
		},
	}
	f.register(cmd, false)
	return cmd
}

// lookAtAzure is a hub's check as doctor's results.
func (a *app) lookAtAzure(ctx context.Context, h rigfile.Hub) (found []doctor.Result) {
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
func (a *app) lookAtManaged(ctx context.Context, c iothub.Config, h rigfile.Hub) []iothub.Finding {
	if h.ResourceID == "" {
		return []iothub.Finding{{What: "tier, quota, access by key, networking and routes are not read: the hub's entry has no resource_id",
			Cure: "resource_id: ID in the hub's entry (Azure portal, IoT Hub, Properties), and az login as somebody who may read the hub"}}
	}
	ctx, cancel := context.WithTimeout(ctx, quotaWithin)
	defer cancel()
	is, q, err := a.managed(ctx, h.ResourceID)
	if err != nil {
		return []iothub.Finding{{Err: err}}
	}
	keys := h.Registry != nil && !h.Registry.Entra || !h.Events.Entra
	return c.CheckManaged(iothub.Managed{Hub: is, Quota: q, Keys: keys})
}

// azureChange is what a verb did, or would do.
type azureChange struct {
	Device string `json:"device"`
	What   string `json:"what"`
	Error  string `json:"error,omitempty"`
}

func (a *app) azureSweep() *cobra.Command {
	f := &azureFlags{}
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
			h, err := a.named(f, "hilrig azure sweep")
			if err != nil {
				return err
			}
			state, err := runner.StateDir()
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
			sweep := iothub.Sweep
			if f.dryRun {
				sweep = iothub.Abandoned
			}
			swept, err := sweep(ctx, client, iothub.Folder(state, h.Host), a.Log)
			changes := []azureChange{}
			for _, s := range swept {
				c := azureChange{Device: s.DeviceID, What: s.What}
				if s.Err != nil {
					c.Error, a.Code = s.Err.Error(), runner.ExitRig
				}
				changes = append(changes, c)
			}
			return errors.Join(err, a.tell(f, "nothing is left behind", changes...))
		},
	}
	f.register(cmd, true)
	return cmd
}

// tell prints changes; none are said in words.
func (a *app) tell(f *azureFlags, none string, changes ...azureChange) error {
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

func (a *app) azureDevice() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "device",
		Short:   "Register a device by its certificate, list and show, send to it, remove it",
		Example: "  hilrig azure device show NewDevice --rig rig.yaml",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.azureDeviceAdd(), a.azureDeviceList(), a.azureDeviceShow(), a.azureDeviceRemove(), a.azureDeviceSend())
	return cmd
}

func (a *app) azureDeviceList() *cobra.Command {
	f, left := &azureFlags{}, false
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
			return a.onRegistry(cmd, f, cmd.CommandPath(), func(ctx context.Context, r *registry.Client) error {
				found, err := r.Query(ctx, "SELECT * FROM devices")
				if err != nil {
					return err
				}
				changes := []azureChange{}
				for _, t := range found {
					if !left || iothub.Left(t.StatusReason, time.Now()) {
						changes = append(changes, azureChange{Device: t.DeviceID, What: listed(t)})
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
func (a *app) onDevice(cmd *cobra.Command, f *azureFlags, id string, do func(context.Context, *registry.Client) error) error {
	if err := named.DeviceID("name", "device", id); err != nil {
		return err
	}
	return a.onRegistry(cmd, f, cmd.CommandPath()+" "+id, do)
}

// onRegistry opens the registry for a verb.
func (a *app) onRegistry(cmd *cobra.Command, f *azureFlags, verb string, do func(context.Context, *registry.Client) error) error {
	h, err := a.named(f, verb)
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
	return do(ctx, client)
}

func (a *app) azureDeviceAdd() *cobra.Command {
	f, file := &azureFlags{}, ""
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
				return a.tell(f, "", azureChange{Device: d.ID, What: what})
			})
		},
	}
	f.register(cmd, true)
	cmd.Flags().StringVar(&file, "certificate", "", "the device's certificate")
	return cmd
}

func (a *app) azureDeviceShow() *cobra.Command {
	f := &azureFlags{}
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
				return a.tell(f, "", azureChange{Device: d.ID, What: inWords(d)})
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

func (a *app) azureDeviceRemove() *cobra.Command {
	f := &azureFlags{}
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
					return a.tell(f, "", azureChange{Device: d.ID, What: "would be removed: " + inWords(d)})
				}
				if err := r.Delete(ctx, d.ID, d.ETag); err != nil {
					return err
				}
				return a.tell(f, "", azureChange{Device: d.ID, What: "removed"})
			})
		},
	}
	f.register(cmd, true)
	return cmd
}

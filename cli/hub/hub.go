package hub

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure"
	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/localhub/control"
	"hilrig/azure/localhub/registryapi"
	"hilrig/certs"
	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
)

// flags are the flags of `hilrig hub` as typed.
type flags struct {
	listen, host, rootOut, state, registry string
	queryDelay                             time.Duration
	devices                                []string
	list                                   bool
}

// verbs are those of this room.
type verbs struct{ *verb.App }

// Command is the verb hub with those below it.
func Command(on *verb.App) *cobra.Command {
	a := verbs{on}
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "hub",
		Short: "Run the local hub on its own, until interrupted",
		Long: `Run the hub that stands in for Azure IoT Hub: TLS 1.2, client certificates
checked by thumbprint, IoT Hub's rules for client id, user name and topics.
One JSON line for each event is printed; the first says where it listens and
which root the devices need in 9270,10.

Nobody who reads holds the hub up: lines that are not read in time are dropped,
and the next one says how many. A reader that goes away is said once on standard
error, and the hub goes on until it is interrupted.

With --registry devices are registered while it runs, over HTTPS as IoT Hub's
REST interface has it: /devices, /devices/query, /twins/ID, /twins/ID/methods.
The first line then names a file, readable by you alone, with the connection
string that SDKs and tools take. Microsoft's SDKs dial port 443 and no other.
A query finds a device as soon as it is registered; the cloud's does seconds
later, and with --query-delay 6s so does this one's.

While it runs, hilrig hub send, invoke, patch and fault do by hand what the cloud
does, from another terminal and for the same user, over the socket that the first
line names as control. Several hubs of one state folder are told apart by it.`,
		Example: `  hilrig certs new --device-id NewDevice --out identity
  hilrig hub --host localhost --root-out root.pem --device NewDevice=<SHA-256 thumbprint>
  mosquitto_pub -h localhost -p 8883 --cafile root.pem --cert identity/device.pem --key identity/device.key \
    -i NewDevice -u 'localhost/NewDevice/?api-version=2021-04-12' -t devices/NewDevice/messages/events/ -m '{"seq":1}'
  hilrig hub --registry :8443 --root-out root.pem
  hilrig hub --registry :8443 --root-out root.pem --query-delay 6s
  hilrig hub --list-faults`,
		Args: verb.Subject,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list {
				return a.listFaults()
			}
			return a.serve(cmd.Context(), f)
		},
	}
	cmd.AddCommand(a.send(), a.invoke(), a.patch(), a.fault())
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", ":8883", "address to listen at")
	fl.StringVar(&f.host, "host", "localhost", "name that devices dial and the hub's certificate holds")
	fl.StringArrayVar(&f.devices, "device", nil, "ID=THUMBPRINT of a device that may connect, SHA-1 or SHA-256 (repeatable)")
	fl.StringVar(&f.rootOut, "root-out", "", "write the root for 9270,10 to this file")
	fl.StringVar(&f.state, "state", "", "state folder (default: $HILRIG_STATE and what follows)")
	fl.StringVar(&f.registry, "registry", "", "open the device registry (HTTPS) at this address, such as :8443")
	fl.DurationVar(&f.queryDelay, "query-delay", 0, "how long after a device was registered no query finds it, such as 6s, as the cloud's lag")
	fl.BoolVar(&f.list, "list-faults", false, "list every fault that hilrig hub fault can show, with what a device meets")
	return cmd
}

func (a verbs) serve(ctx context.Context, f *flags) error {
	devices, err := parseDevices(f.devices)
	if err != nil {
		return err
	}
	if f.registry != "" {
		if err := registryapi.CheckAddress(f.registry); err != nil {
			return err
		}
	}
	if err := checkQueryDelay(f); err != nil {
		return err
	}
	ctx, stop := a.UntilSignal(ctx)
	defer stop()
	a.Behind("hub", verb.MostEvents, mark)
	defer collectSooner()()
	return verb.Interruptible(ctx, func(ctx context.Context) error {
		shut, err := a.open(ctx, f, devices)
		if err != nil {
			return err
		}
		<-ctx.Done()
		shut()
		return nil
	})
}

// collectSooner has garbage collected when it is half of what is in use, unless
// GOGC says when: Go waits until it is as much. A thousand devices that are
// connected and silent need memory and hardly any processor. It returns what
// puts that back.
func collectSooner() (back func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(50)
	return func() { debug.SetGCPercent(before) }
}

// open starts a hub that prints its events, and returns what shuts it.
func (a verbs) open(ctx context.Context, f *flags, devices []hub.Device) (shut func(), err error) {
	state := f.state
	if state == "" {
		if state, err = runner.StateDir(); err != nil {
			return nil, err
		}
	}
	store, err := certs.OpenStore(filepath.Join(state, "pki"))
	if err != nil {
		return nil, err
	}
	server, err := store.Server(ctx, f.host)
	if err != nil {
		return nil, err
	}
	h, err := localhub.New(localhub.Config{Host: f.host, Certificate: server, Devices: devices, Log: a.Log})
	if err != nil {
		return nil, err
	}
	out := &printer{enc: a.Encoder()}
	out.mu.Lock() // "ready" comes first, and nothing after it is missed
	stopWatching := h.Events().Watch(out.event)
	addr, err := h.Listen(ctx, f.listen)
	var registry *openRegistry
	var byHand *control.Server
	if err == nil && f.registry != "" {
		registry, err = a.openRegistry(ctx, f, filepath.Join(state, "registry"), h, server, out)
	}
	if err == nil && f.rootOut != "" {
		err = record.WriteFile(f.rootOut, store.Root().PEM, 0o644)
	}
	if err == nil {
		byHand = a.openControl(ctx, state, f.host, dialAddress(f.host, addr), h, store)
		out.ready(readyLine{Address: dialAddress(f.host, addr), Root: string(store.Root().PEM), Control: controlPath(byHand), registryReady: registry.ready()})
	}
	out.mu.Unlock()
	if err != nil {
		stopWatching()
		return nil, errors.Join(err, registry.close(ctx), h.Close(ctx))
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(closeControl(byHand), registry.close(ctx), h.Close(ctx)); err != nil {
			a.Log.Warn("close hub", "err", err)
		}
		stopWatching()
	}, nil
}

// dialAddress is what a device dials: the hub's name and the port it got.
func dialAddress(host string, addr net.Addr) string {
	_, p, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return net.JoinHostPort(host, p)
}

// parseDevices reads ID=THUMBPRINT; one id may be given with two thumbprints.
func parseDevices(args []string) ([]hub.Device, error) {
	var devices []hub.Device
	at := map[string]int{}
	for _, arg := range args {
		id, print, err := azure.ParseRegistered(arg)
		if errors.Is(err, azure.ErrDeviceID) {
			return nil, named.DeviceID("read", "--device", id)
		}
		if err != nil {
			return nil, record.NewFailure(record.Usage, "read", "--device "+terminal.OneLine(arg), err).
				WithCure("hilrig certs show prints the thumbprints of a certificate")
		}
		if i, known := at[id]; known {
			devices[i].Thumbprints = append(devices[i].Thumbprints, print)
			continue
		}
		at[id] = len(devices)
		devices = append(devices, hub.Device{ID: id, Thumbprints: []string{print}})
	}
	return devices, nil
}

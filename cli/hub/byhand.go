package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/localhub/control"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
)

// handFlags are what every verb below `hilrig hub` takes: which hub is meant.
type handFlags struct{ state, control string }

func (f *handFlags) on(cmd *cobra.Command) *cobra.Command {
	fl := cmd.Flags()
	fl.StringVar(&f.state, "state", "", "state folder that the hub was started with (default: $HILRIG_STATE and what follows)")
	fl.StringVar(&f.control, "control", "", "the hub's socket, where several run: control of its first line")
	return cmd
}

// hubAt finds the hub that is meant.
func (f *handFlags) hubAt(ctx context.Context) (*control.Client, error) {
	if f.control != "" {
		return control.Open(f.control)
	}
	state := f.state
	if state == "" {
		var err error
		if state, err = runner.StateDir(); err != nil {
			return nil, err
		}
	}
	return control.Find(ctx, control.Dir(state))
}

// by runs what asks a hub, until an interrupt.
func (f *handFlags) by(ask func(context.Context, *control.Client, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		hub, err := f.hubAt(ctx)
		if err != nil {
			return err
		}
		err = ask(ctx, hub, args)
		if ctx.Err() != nil {
			return verb.ErrInterrupted
		}
		return err
	}
}

// least takes the named arguments, and perhaps one more.
func least(more string, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names)+1 {
			return verb.Exactly(append(names, more)...)(cmd, args)
		}
		return verb.Exactly(names...)(cmd, args)
	}
}

// standIn is an argument that means standard input.
const standIn = "-"

func (a verbs) argument(text string) ([]byte, error) {
	if text != standIn {
		return []byte(text), nil
	}
	data, err := io.ReadAll(a.In)
	if err != nil {
		return nil, record.NewFailure(record.Usage, "read", "standard input", err)
	}
	return data, nil
}

func (a verbs) jsonArgument(what, text string) (json.RawMessage, error) {
	data, err := a.argument(text)
	if err == nil && !json.Valid(data) {
		err = record.NewFailure(record.Usage, "read", what, errors.New("it is not JSON")).WithCure(`quoted for the shell, such as '{"rate":5}'; - is standard input`)
	}
	return data, err
}

func (a verbs) send() *cobra.Command {
	f, q, properties := &handFlags{}, control.Send{}, []string{}
	cmd := &cobra.Command{
		Use:   "send DEVICE PAYLOAD",
		Short: "Send a cloud-to-device message by a hub that runs",
		Long: `Send a message to a device of the hub that runs, as the cloud does: it waits
in the device's queue until the device listens, goes at QoS 1 and is completed by
the device's PUBACK. PAYLOAD - is standard input.`,
		Example: `  hilrig hub send NewDevice '{"led":true}'
  hilrig hub send NewDevice hello --property color=blue --wait 10s`,
		Args: verb.Exactly("DEVICE", "PAYLOAD"),
	}
	fl := cmd.Flags()
	fl.StringVar(&q.ID, "id", "", "message id (default: one of its own)")
	fl.StringArrayVar(&properties, "property", nil, "NAME=VALUE of a property (repeatable)")
	fl.DurationVar(&q.TTL, "ttl", 0, "time to live (default: an hour)")
	fl.DurationVar(&q.Wait, "wait", 0, "wait so long for the device to acknowledge it; without an acknowledgement the exit code is 1")
	cmd.RunE = f.by(func(ctx context.Context, hub *control.Client, args []string) (err error) {
		q.Device = args[0]
		if q.Payload, err = a.argument(args[1]); err != nil {
			return err
		}
		if q.Properties, err = parseProperties(properties); err != nil {
			return err
		}
		sent, err := hub.Send(ctx, q)
		if err != nil {
			return err
		}
		return a.saySent(q, sent)
	})
	return f.on(cmd)
}

func parseProperties(args []string) (map[string]string, error) {
	properties := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, record.NewFailure(record.Usage, "read", "--property "+terminal.OneLine(arg), errors.New("not NAME=VALUE"))
		}
		properties[name] = value
	}
	return properties, nil
}

func (a verbs) saySent(q control.Send, sent control.Sent) error {
	where := q.Device + " is connected"
	if !sent.Connected {
		where = q.Device + " is not connected"
	}
	switch {
	case sent.Completed:
		fmt.Fprintf(a.Out, "message %s was acknowledged by %s\n", sent.ID, q.Device)
	case q.Wait > 0:
		return record.NewFailure(record.ClassDevice, "wait for", q.Device, fmt.Errorf("message %s was not acknowledged within %s; %s", sent.ID, q.Wait, where)).
			WithCure("it stays in the queue until its time to live is over")
	default:
		fmt.Fprintf(a.Out, "message %s is in the queue of %s (%d); %s\n", sent.ID, q.Device, sent.Waiting, where)
	}
	return nil
}

func (a verbs) invoke() *cobra.Command {
	f, q := &handFlags{}, control.Invoke{}
	cmd := &cobra.Command{
		Use:   "invoke DEVICE METHOD [JSON]",
		Short: "Call a direct method of a device by a hub that runs",
		Long: `Call a direct method of a device of the hub that runs, and print its answer as
IoT Hub's REST interface gives it: {"status":N,"payload":...}. JSON - is standard
input. The exit code is 0 for every answer, 1 for none.`,
		Example: `  hilrig hub invoke NewDevice reboot
  hilrig hub invoke NewDevice setInterval '{"seconds":5}' --within 10s --connect 1m`,
		Args: least("JSON", "DEVICE", "METHOD"),
	}
	fl := cmd.Flags()
	fl.DurationVar(&q.Within, "within", 30*time.Second, "time that the device has for its answer")
	fl.DurationVar(&q.Connect, "connect", 0, "wait so long for a device that is away")
	cmd.RunE = f.by(func(ctx context.Context, hub *control.Client, args []string) (err error) {
		q.Device, q.Method = args[0], args[1]
		if len(args) > 2 {
			if q.Payload, err = a.jsonArgument("the payload", args[2]); err != nil {
				return err
			}
		}
		answer, err := hub.Invoke(ctx, q)
		if err != nil {
			return err
		}
		return a.printLine(answer)
	})
	return f.on(cmd)
}

func (a verbs) patch() *cobra.Command {
	f, q, tags := &handFlags{}, control.Patch{}, ""
	cmd := &cobra.Command{
		Use:   "patch DEVICE [JSON]",
		Short: "Change a device's twin by a hub that runs",
		Long: `Merge JSON into the desired properties of a device of the hub that runs, in
which null deletes, and print the twin that comes of it. A device that is connected
and has subscribed is told. JSON - is standard input; {} changes nothing but the
version.`,
		Example: `  hilrig hub patch NewDevice '{"interval":5}'
  hilrig hub patch NewDevice --tags '{"site":"lab"}'`,
		Args: least("JSON", "DEVICE"),
	}
	fl := cmd.Flags()
	fl.StringVar(&tags, "tags", "", "JSON to merge into the tags, which no device sees")
	fl.BoolVar(&q.Replace, "replace", false, "put JSON in the place of desired properties and tags, instead of merging")
	cmd.RunE = f.by(func(ctx context.Context, hub *control.Client, args []string) (err error) {
		q.Device = args[0]
		if len(args) > 1 {
			if q.Desired, err = a.jsonArgument("the desired properties", args[1]); err != nil {
				return err
			}
		}
		if tags != "" {
			if q.Tags, err = a.jsonArgument("--tags", tags); err != nil {
				return err
			}
		}
		if q.Desired == nil && q.Tags == nil {
			return verb.Usage(cmd, errors.New("neither JSON nor --tags: nothing to change"))
		}
		twin, err := hub.Patch(ctx, q)
		if err != nil {
			return err
		}
		return a.printLine(twin)
	})
	return f.on(cmd)
}

func (a verbs) printLine(v any) error {
	e := a.Encoder()
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

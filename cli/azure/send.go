package azure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hilrig/azure/hub"
	"hilrig/azure/iothub/devicebound"
	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
)

// hangUpWithin bounds saying goodbye to a hub.
const hangUpWithin = 5 * time.Second

func (a verbs) deviceSend() *cobra.Command {
	f, wait := &flags{}, time.Duration(0)
	cmd := &cobra.Command{
		Use:   "send ID TEXT",
		Short: "Send a device a message through the hub",
		Long: `Send a cloud-to-device message over AMQP (port 5671), as a cloud application does.
The hub keeps it for an hour for a device that is away. With --wait the device's
answer is waited for: the hub says what became of the message, and says it to one
reader only, so that a production which reads feedback of this hub misses it.

It replaces IoT Hub, Devices, Message to Device in the portal.`,
		Example: `  hilrig azure device send NewDevice hello --rig rig.yaml
  hilrig azure device send NewDevice hello --rig rig.yaml --wait 1m`,
		Args: verb.Exactly("ID", "TEXT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := named.DeviceID("name", "device", args[0]); err != nil {
				return err
			}
			h, err := a.hubNamed(f, cmd.CommandPath()+" "+args[0]+" TEXT")
			if err != nil {
				return err
			}
			c, err := runner.DeviceBoundOf(h, a.Log)
			if err != nil {
				return err
			}
			m := hub.DeviceBound{ID: rand.Text(), Payload: []byte(args[1])}
			if f.dryRun {
				return a.tell(f, "", change{Device: args[0], What: fmt.Sprintf("would be sent %d bytes", len(m.Payload))})
			}
			ctx, stop := a.UntilSignal(cmd.Context())
			defer stop()
			return verb.Interruptible(ctx, func(ctx context.Context) error {
				what, err := sendToDevice(ctx, c, args[0], m, wait)
				if err != nil {
					return err
				}
				return a.tell(f, "", change{Device: args[0], What: what})
			})
		},
	}
	f.register(cmd, true)
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for what becomes of it; 0: not at all")
	return cmd
}

// sendToDevice sends a message and says what became of it: that the hub has it,
// or, where that is waited for, that the device took it.
func sendToDevice(ctx context.Context, c devicebound.Config, id string, m hub.DeviceBound, wait time.Duration) (what string, err error) {
	c.Feedback = wait > 0
	client := devicebound.New(c)
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpWithin)
		defer cancel()
		err = errors.Join(err, client.Close(ctx))
	}()
	if wait <= 0 {
		return "the hub has the message " + m.ID, client.Send(ctx, id, m)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, ended, became := make(chan struct{}), make(chan error, 1), make(chan devicebound.Feedback, 1)
	go func() {
		ended <- client.FollowFeedback(ctx, func() { close(ready) }, func(f devicebound.Feedback) {
			if f.MessageID == m.ID {
				select {
				case became <- f:
				default: // the first word counts
				}
			}
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		return "", err
	}
	if err := client.Send(ctx, id, m); err != nil {
		return "", err
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case f := <-became:
		if f.Delivered() {
			return "the device took the message " + m.ID, nil
		}
		return "", record.NewFailure(record.ClassDevice, "send a message to", id, fmt.Errorf("the hub says %s: %s", f.Status, f.Text))
	case err := <-ended:
		return "", errors.Join(err, context.Cause(ctx))
	case <-late.C:
		return "", record.NewFailure(record.ClassDevice, "send a message to", id, fmt.Errorf("the hub has it, and did not say within %s what became of it", wait)).
			WithCure("is the device connected, and does it subscribe devices/" + id + "/messages/devicebound/#?")
	}
}

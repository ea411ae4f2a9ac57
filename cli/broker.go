package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/doctor"
	"hilrig/fixtures/rigfile"
	"hilrig/runner"
)

func (a *app) brokerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "broker",
		Short:   "Look at the MQTT broker of a rig",
		Example: "  hilrig broker check --rig rig.yaml",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.brokerCheck())
	return cmd
}

func (a *app) brokerCheck() *cobra.Command {
	var rig, name string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what at the broker would make a run fail, each with its cure",
		Long: `Go the way of a run up to the device: the broker's name and port, TLS and the
chain that it presents, the root that devices get, and for each device's topic an
observer that subscribes and hears a message of its own. Exit code 3 when
something is bad.`,
		Example: `  hilrig broker check --rig rig.yaml
  hilrig broker check --rig rig.yaml --hub mosquitto`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			looked, err := named.RigOfKind(rigfile.KindBroker, rig, name, cmd.CommandPath(), a.Catalogue)
			if err != nil {
				return err
			}
			ctx, stop := a.UntilSignal(cmd.Context())
			defer stop()
			found := lookAtBroker(ctx, looked.Hub, looked.Devices)
			if ctx.Err() != nil {
				return verb.ErrInterrupted
			}
			a.Judge(found)
			a.PrintResults(found)
			return nil
		},
	}
	cmd.Flags().StringVar(&rig, "rig", "", "the rig file")
	cmd.Flags().StringVar(&name, "hub", "", "the broker's name in the rig file (default: the rig's own hub)")
	return cmd
}

// lookAtBroker is a broker's check as doctor's results.
func lookAtBroker(ctx context.Context, h rigfile.Hub, devices []rigfile.Device) (found []doctor.Result) {
	add := func(what string, err error, cure string) {
		r := doctor.Result{State: doctor.OK, What: what, Cure: cure}
		switch {
		case err != nil:
			r = doctor.Failed(err)
		case cure != "":
			r.State = doctor.Warn
		}
		r.Name = "broker"
		found = append(found, r)
	}
	c, err := runner.BrokerOf(h)
	if err != nil {
		add("", err, "")
		return found
	}
	var topics []string
	for _, d := range devices {
		topics = append(topics, d.Type.MQTT.TopicFor(d.DeviceID, h.Host))
	}
	for _, f := range c.Check(ctx, topics) {
		add(f.What, f.Err, f.Cure)
	}
	for _, d := range devices {
		if d.Type.Payload.Sequence == "" {
			add("messages of "+d.Name+" have no counter (payload.sequence): another board on its topic could not be told from it", nil, "")
		}
	}
	return found
}

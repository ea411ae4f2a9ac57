package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hilrig/cli/verb"
	"hilrig/hw/emulator"
)

func (a *app) emulateCommand() *cobra.Command {
	o := &emulator.Options{}
	cmd := &cobra.Command{
		Use:   "emulate --link PATH",
		Short: "Run an emulated device on a pseudo-terminal, until interrupted",
		Long: `Run a device made of software on a pseudo-terminal, linked at a path of your
choice. Its console is that of the manufacturer's guide: tio, picocom or Tera
Term can follow the guide on it. One JSON line is printed when it is ready.`,
		Example: `  hilrig emulate --link /tmp/device --hub localhost:8883 --device-id NewDevice
  hilrig provision --port /tmp/device --root root.pem --certificate identity/device.pem --key identity/device.key
  hilrig emulate --list-faults`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.emulate(cmd, *o) },
	}
	emulator.Flags(cmd.Flags(), o)
	completeFaults(cmd)
	completeProfiles(cmd)
	return cmd
}

func (a *app) emulate(cmd *cobra.Command, o emulator.Options) error {
	if o.Flash == "" && !o.ListFaults && !o.ListProfiles && !cmd.Flags().Changed("terminal-fd") {
		if err := verb.Required(cmd, "link"); err != nil {
			return err
		}
	}
	ctx, stop := a.UntilSignal(cmd.Context())
	defer stop()
	return verb.Interruptible(ctx, func(ctx context.Context) error { return emulator.Start(ctx, o, a.In, a.Out, a.Err) })
}

// completeFaults offers the gallery to the shell.
func completeFaults(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("fault", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range emulator.Faults() {
			names = append(names, f.Name+"\t"+f.Doc)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}) // fails only for a flag that is not there
}

// completeProfiles offers the shapes of sound firmware to the shell.
func completeProfiles(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("profile", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, p := range emulator.Profiles() {
			names = append(names, p.Name+"\t"+p.Doc)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}) // fails only for a flag that is not there
}

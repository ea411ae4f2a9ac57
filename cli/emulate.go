package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hilrig/hw/emulator"
)

// emulateFlags are the flags of `hilrig emulate` as typed.
type emulateFlags struct {
	config   emulator.Config
	terminal int  // a descriptor handed down; negative: none
	lifeline bool // end with standard input
	list     bool
	profiles bool
}

func (a *app) emulateCommand() *cobra.Command {
	f := &emulateFlags{}
	cmd := &cobra.Command{
		Use:   "emulate --link PATH",
		Short: "Run an emulated device on a pseudo-terminal, until interrupted",
		Long: `Run a device made of software on a pseudo-terminal, linked at a path of your
choice. Its console is that of the manufacturer's guide: tio, picocom or Tera
Term can follow the guide on it. One JSON line is printed when it is ready.`,
		Example: `  hilrig emulate --link /tmp/device --hub localhost:8883 --device-id NewDevice
  hilrig provision --port /tmp/device --root root.pem --certificate identity/device.pem --key identity/device.key
  hilrig emulate --list-faults`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list {
				emulator.ListFaults(a.out)
				return nil
			}
			if f.profiles {
				emulator.ListProfiles(a.out)
				return nil
			}
			return a.emulate(cmd, f)
		},
	}
	fl := cmd.Flags()
	emulator.Flags(fl, &f.config)
	fl.BoolVar(&f.list, "list-faults", false, "list every faulty firmware with the defect that it stands for")
	fl.BoolVar(&f.profiles, "list-profiles", false, "list every profile of sound firmware with the device that it stands for")
	fl.IntVar(&f.terminal, "terminal-fd", -1, "use this descriptor, the master of a pseudo-terminal")
	fl.BoolVar(&f.lifeline, "lifeline", false, "end when standard input ends")
	for _, hidden := range []string{"terminal-fd", "lifeline"} {
		_ = fl.MarkHidden(hidden) // fails only for a flag that is not there
	}
	completeFaults(cmd)
	completeProfiles(cmd)
	return cmd
}

func (a *app) emulate(cmd *cobra.Command, f *emulateFlags) error {
	if f.terminal < 0 {
		if err := required(cmd, "link"); err != nil {
			return err
		}
	}
	for _, name := range f.config.Faults {
		if _, err := emulator.FindFault(name); err != nil {
			return err
		}
	}
	ctx, stop := a.untilSignal(cmd.Context())
	defer stop()
	return interruptible(ctx, func(ctx context.Context) error {
		return emulator.Start(ctx, f.config, f.terminal, f.lifeline, a.in, a.out, a.err)
	})
}

// interruptible runs what lasts until a signal ends it, and says so.
func interruptible(ctx context.Context, run func(context.Context) error) error {
	err := run(ctx)
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
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

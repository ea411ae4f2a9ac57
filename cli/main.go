package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hilrig/cli/azure"
	"hilrig/cli/devices"
	"hilrig/cli/gate"
	"hilrig/cli/history"
	"hilrig/cli/hub"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/runner"
	"hilrig/suites"
)

// app is what the verbs of this room stand on, and what a test may put in the
// place of Azure Resource Manager.
type app struct {
	*verb.App
	manager azure.Manager
}

// Main runs one verb and returns the exit code. Specs of somebody else come
// behind those of the catalogue.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, more ...fixtures.Spec) int {
	a := &app{App: verb.New(args, stdin, stdout, stderr)}
	defer a.Caught()
	defer a.WatchQuit()()
	var err error
	if a.Catalogue, err = suites.With(more...); err != nil {
		fmt.Fprintf(stderr, "hilrig: %s\n", record.Plain(err.Error()))
		return runner.ExitOf(err)
	}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(terminal.Unfiltered(a.Out))
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.Background())
	return a.End(cmd.CommandPath(), err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hilrig",
		Short: "Hardware-in-the-loop tests for devices that report to Azure IoT Hub over MQTT and TLS",
		Long: `hilrig drives a device, real or emulated, from a fresh identity to delivered
telemetry, and says with evidence whether its firmware may ship.

Exit codes, all verbs: 0 passed (warnings included), 1 a device failed,
2 usage or configuration, 3 rig or harness, 130 interrupted.`,
		Example: `  hilrig run                     an emulated device, the whole flow
  hilrig run --rig bench.yaml    the devices of a bench
  hilrig list                    what is tested`,
		Args:          verb.Subject,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.OpenLog(a.LogTo)
			return verb.NoneEmpty(cmd)
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(verb.WrongFlag)
	root.Version = verb.Version()
	root.SetVersionTemplate("hilrig {{.Version}}\n") // as the verb of the same name prints it
	root.PersistentFlags().BoolVarP(&a.Verbose, "verbose", "v", false, "log more, on standard error")
	root.AddCommand(
		a.runCommand(), a.childCommand(), a.listCommand(), a.provisionCommand(), a.certsCommand(),
		devices.Command(a.App), a.flashCommand(), a.learnCommand(), a.doctorCommand(), a.rigCommand(), hub.Command(a.App), a.brokerCommand(), azure.Command(a.App, a.manager), a.emulateCommand(), a.reportCommand(), a.compareCommand(), gate.Command(a.App), history.Command(a.App), a.runsCommand(), a.selftestCommand(), a.schemaCommand(), a.versionCommand(),
	)
	return root
}

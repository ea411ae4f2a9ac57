package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hilrig/azure/iothub/arm"
	"hilrig/cli/terminal"
	"hilrig/fixtures"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
	"hilrig/suites"
)

// app is what a verb stands on: its streams and its log.
type app struct {
	args     []string // as typed, for the record
	in       io.Reader
	out, err io.Writer
	logTo    *terminal.Redirect // where log lines go; the live view takes them over while it is up
	log      *slog.Logger
	verbose  bool
	code     int // of a verb that ended without an error

	catalogue []fixtures.Spec
	manager   func(arm.ID) (*arm.Client, error) // Azure Resource Manager; nil: as whoever this machine is signed in

	rawErr   io.Writer                    // for last words: no queue before it
	outlets  []*terminal.Outlet           // before out and err, of a verb that lasts
	pipes    chan os.Signal               // where SIGPIPE goes, to no effect
	twice    atomic.Bool                  // interrupted twice
	onBreak  atomic.Pointer[func(string)] // what to say in the record, should the process have to end
	breaking sync.Once
}

// Main runs one verb and returns the exit code. Specs of somebody else come
// behind those of the catalogue.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, more ...fixtures.Spec) int {
	a := &app{args: args, in: stdin, out: terminal.NewText(stdout), err: terminal.NewText(stderr), rawErr: stderr, logTo: terminal.NewRedirect(stderr)}
	defer a.caught()
	defer a.watchQuit()()
	a.log = slog.New(slog.DiscardHandler)
	var err error
	if a.catalogue, err = suites.With(more...); err != nil {
		fmt.Fprintf(stderr, "hilrig: %s\n", record.Plain(err.Error()))
		return runner.ExitOf(err)
	}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.Background())
	defer a.drain()
	if err != nil {
		fmt.Fprintf(a.err, "%s: %s\n", cmd.CommandPath(), err.Error())
		if errors.Is(err, errInterrupted) {
			return runner.ExitInterrupted
		}
		return runner.ExitOf(err)
	}
	return a.code
}

// errInterrupted ends a verb that a signal ended.
var errInterrupted = errors.New("interrupted")

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
		Args:          knownVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.openLog(a.logTo)
			return noneEmpty(cmd)
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(wrongFlag)
	root.Version = version()
	root.SetVersionTemplate("hilrig {{.Version}}\n") // as the verb of the same name prints it
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "log more, on standard error")
	root.AddCommand(
		a.runCommand(), a.childCommand(), a.listCommand(), a.provisionCommand(), a.certsCommand(),
		a.devicesCommand(), a.flashCommand(), a.learnCommand(), a.doctorCommand(), a.rigCommand(), a.hubCommand(), a.brokerCommand(), a.azureCommand(), a.emulateCommand(), a.reportCommand(), a.compareCommand(), a.gateCommand(), a.historyCommand(), a.runsCommand(), a.selftestCommand(), a.schemaCommand(), a.versionCommand(),
	)
	return root
}

func (a *app) openLog(w io.Writer) {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	a.log = slog.New(slog.NewTextHandler(terminal.TextIn(w, false), &slog.HandlerOptions{Level: level}))
}

// usage makes a usage failure of what cobra has to say.
func usage(cmd *cobra.Command, err error) error {
	return record.NewFailure(record.Usage, err.Error(), "", nil).WithCure(cmd.CommandPath() + " --help")
}

// wrongFlag says what is wrong with a flag, with the nearest where there is no
// such flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage(cmd, err)
	}
	var flags []string
	known := func(f *pflag.Flag) {
		if !f.Hidden {
			flags = append(flags, f.Name)
		}
	}
	cmd.Flags().VisitAll(known)
	cmd.InheritedFlags().VisitAll(known)
	near := wording.Nearest(unknown.GetSpecifiedName(), flags)
	if near == "" {
		return usage(cmd, err)
	}
	return record.NewFailure(record.Usage, err.Error(), "", nil).WithCure("did you mean --" + near + "?")
}

// knownVerb says so, with the nearest, when the first word is no verb.
func knownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			verbs = append(verbs, c.Name())
		}
	}
	what := "verb"
	if cmd.HasParent() {
		what = "subject"
	}
	fail := record.NewFailure(record.Usage, fmt.Sprintf("no %s %q", what, args[0]), "", nil)
	if near := wording.DidYouMean(args[0], verbs); near != "" {
		return fail.WithCure(near)
	}
	return fail.WithCure("there is " + strings.Join(verbs, ", "))
}

// exactly takes the named arguments and nothing else.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage(cmd, fmt.Errorf("%s is missing", names[len(args)]))
		case len(args) > len(names):
			return usage(cmd, fmt.Errorf("nothing is expected of %q", args[len(names)]))
		}
		if i := slices.Index(args, ""); i >= 0 {
			return usage(cmd, fmt.Errorf("%s is empty", names[i]))
		}
		return nil
	}
}

// noneEmpty refuses a flag that is given and empty: a variable of a script that
// was never set must not mean the default. An empty label filter is no filter.
func noneEmpty(cmd *cobra.Command) error {
	var empty string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		if f.Name != "label-filter" && slices.Contains(values, "") {
			empty = f.Name
		}
	})
	if empty != "" {
		return usage(cmd, fmt.Errorf("--%s is empty", empty))
	}
	return nil
}

// required says which of the flags is missing.
func required(cmd *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if !cmd.Flags().Changed(f) {
			return usage(cmd, fmt.Errorf("--%s is missing", f))
		}
	}
	return nil
}

// executable is this binary, for the processes that it starts.
func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", record.NewFailure(record.RigHost, "find", "this binary", err)
	}
	return path, nil
}

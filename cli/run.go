package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/past"
	"hilrig/cli/signing"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/cli/view"
	"hilrig/hw/emulator"
	"hilrig/hw/port"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/reports/seal"
	"hilrig/runner"
	"hilrig/suites"
)

// runFlags are the flags of `hilrig run` as typed.
type runFlags struct {
	rig, out        string
	filter          string
	filterSet       bool
	request         runner.Request
	form            form
	dryRun, asJSON  bool
	firmwareVersion string
	firmwareFile    string
	flash           string
	rerun           string
	seal            bool
	signing         signing.Flags
	tellFolder      string
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{request: runner.Request{Catalogue: a.Catalogue}}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the suites against the rig's devices",
		Long: `Run the suites against the rig's devices, one child process for each, and leave
a record (run.json) with its reports (junit.xml, report.html) in a run folder.

Without a rig file an emulated device is driven against a hub of our own.
The first interrupt finishes the step and tears down, the second tears down
now and ends the process within three seconds; the record is written either way.
Nobody who reads holds a run up: of what is not read in time some is dropped,
and that is said. The run folder has everything.`,
		Example: `  hilrig run
  hilrig run --label-filter smoke
  hilrig run --rig bench.yaml --device ads300-a --spec 'tls/*'
  hilrig run --rig bench.yaml --dry-run
  hilrig run --rig bench.yaml --rerun latest
  hilrig run --rig bench.yaml --seal --key bench.pem`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.filterSet = cmd.Flags().Changed("label-filter")
			return a.run(cmd.Context(), f)
		},
	}
	f.register(cmd)
	a.completeSpecs(cmd)
	return cmd
}

func (f *runFlags) register(cmd *cobra.Command) {
	fl, r := cmd.Flags(), &f.request
	fl.StringVar(&f.rig, "rig", "", "rig file (default: one emulated device emu-1, local hub)")
	fl.StringArrayVar(&r.Devices, "device", nil, "only this device (repeatable; default: all)")
	fl.StringVar(&f.filter, "label-filter", suites.DefaultFilter, "only these specs, in Ginkgo's label language; with --spec: all")
	fl.StringArrayVar(&r.Specs, "spec", nil, "only this spec; tls/* takes an area (repeatable)")
	fl.StringArrayVar(&r.Hubs, "hub", nil, "a hub of the rig file by its name, or local (repeatable: in turn; default: the rig's)")
	fl.StringVar(&f.firmwareVersion, "firmware", "", "version under test (default: asked from the device where its type can)")
	fl.StringVar(&f.firmwareFile, "firmware-file", "", "image under test; its SHA-256 goes into the record")
	fl.StringVar(&f.flash, "flash", "", "image that is put onto every board first, by flash.command of its type")
	fl.StringArrayVar(&r.Faults, "fault", nil, "run emulated devices with this faulty firmware (repeatable)")
	fl.StringVar(&f.rerun, "rerun", "", "what was red or not run in this run (folder, id, latest, latest~1), on the devices and hubs where it was")
	fl.IntVar(&r.Repeat, "repeat", 1, "the whole selection this many times")
	fl.IntVar(&r.Attempts, "attempts", 1, "tries of a spec; a pass after a failure is marked flaky")
	fl.IntVar(&r.Jobs, "jobs", 0, "devices at once (default: all)")
	fl.DurationVar(&r.Timeout, "timeout", time.Hour, "for the whole run")
	fl.StringVar(&f.out, "out", filepath.Join("reports", "out"), "folder of run folders")
	fl.StringVar(&f.tellFolder, "tell-folder", "", "write the path of the run folder here as soon as there is one, for a script")
	f.form.register(cmd)
	fl.BoolVar(&f.seal, "seal", false, "sign the list of the run's files when it ends (hilrig runs verify)")
	f.signing.Register(fl, "seal")
	f.form.registerAsked(cmd)
	fl.BoolVar(&f.dryRun, "dry-run", false, "say what would run, and what not and why; touch nothing")
	fl.BoolVar(&f.asJSON, "json", false, "print the event stream on standard output, nothing else")
	completeFaults(cmd)
}

func checkFault(name string) error {
	_, err := emulator.FindFault(name)
	return err
}

// plan reads the rig and checks everything that was asked for.
func (f *runFlags) plan() (*runner.Plan, error) {
	r := f.request
	var err error
	if r.Rig, err = named.Rig(f.rig, r.Catalogue); err != nil {
		return nil, err
	}
	r.LabelFilter = f.filter
	if len(r.Specs) > 0 && !f.filterSet {
		r.LabelFilter = ""
	}
	if f.rerun != "" {
		if err := f.again(&r); err != nil {
			return nil, err
		}
	}
	r.CheckFault = checkFault
	if f.signing.KeyEnv != "" {
		r.Secret = []string{f.signing.KeyEnv}
	}
	r.Firmware = record.Firmware{Version: f.firmwareVersion, File: f.firmwareFile}
	if f.flash != "" {
		if f.firmwareFile != "" {
			return nil, record.NewFailure(record.Usage, "read", "--flash "+f.flash, errors.New("--firmware-file names the image under test, and so does --flash: choose one"))
		}
		r.Flash, r.Firmware.File = true, f.flash
	}
	return runner.NewPlan(r)
}

// again makes the request one for what a run left red or without a verdict.
func (f *runFlags) again(r *runner.Request) error {
	if len(r.Specs) > 0 || f.filterSet || len(r.Hubs) > 0 {
		return record.NewFailure(record.Usage, "read", "--rerun "+f.rerun, errors.New("--rerun says which specs and hubs: it goes with --device, not with --spec, --label-filter and --hub"))
	}
	dir, err := named.Run(f.out, f.rerun, false)
	if err != nil {
		return err
	}
	rec, err := runner.Load(dir)
	if err != nil {
		return err
	}
	return r.Again(rec)
}

// notAgain says what was to be run again and is there no more.
func notAgain(p *runner.Plan) (notes []string) {
	for _, gone := range p.Gone {
		notes = append(notes, "not run again: "+gone)
	}
	return notes
}

func (a *app) run(ctx context.Context, f *runFlags) error {
	if f.asJSON && f.form.asked.annotations {
		return verb.NoAnnotations()
	}
	plan, err := f.plan()
	if err != nil {
		return err
	}
	signer, err := f.signing.Signer(ctx, f.seal, "--seal", plan.Secret)
	if err != nil {
		return err
	}
	if err := f.form.check(f.out, a.Known()); err != nil {
		return err
	}
	if f.dryRun {
		return a.dryRun(ctx, plan, f.asJSON)
	}
	if err := f.tell(""); err != nil {
		return err
	}
	uses, err := a.manager.Uses(ctx, plan)
	if err != nil {
		return err
	}
	for _, note := range append(notAgain(plan), uses...) {
		fmt.Fprint(a.Err, terminal.Wrap("note: "+note, "", terminal.Width(a.Err)))
	}
	if f.asJSON {
		a.Behind("run", verb.MostEvents, view.EventMark)
	} else {
		a.Behind("run", verb.MostText, verb.LineMark)
	}
	sup, err := a.supervisor(f.out) // with the log that waits for nobody
	if err != nil {
		return err
	}
	defer a.supervised(sup)()
	var untold error
	sup.Begun = func(dir string, r *record.Record) {
		untold = f.tell(dir)
		past.Begun(a.Log, sup.StateDir, dir, r)
	}

	show := a.progress(plan, f.out, f.asJSON)
	sup.Observe = show.Event
	sup.RoundDone = func(dir string, r *record.Record) { a.renderRound(dir, r, f.form) }
	res, runErr := sup.Run(ctx, plan)
	show.Close()
	if res == nil {
		return runErr
	}
	a.Code = runner.ExitCode(res.Record)
	sealErr := a.sealRun(res.Dir, res.Record, past.Ended(a.Log, sup.StateDir, res.Dir, res.Record), signer)
	reports, err := a.render(res.Dir, res.Record, f.form)
	if !f.asJSON {
		view.Summary(a.Out, res.Dir, res.Record, reports)
		err = errors.Join(err, a.annotate(res.Dir, res.Record, f.form))
	}
	if runErr != nil {
		return runErr
	}
	return errors.Join(sealErr, untold, err)
}

// tell writes the path of the run's folder where a script asks for it; before
// there is one, nothing: what an earlier run left is not taken for this one's.
func (f *runFlags) tell(dir string) error {
	if f.tellFolder == "" {
		return nil
	}
	text := dir
	if text != "" {
		text += "\n"
	}
	return record.WriteFile(f.tellFolder, []byte(text), 0o644)
}

// supervisor says where a run stands: folders, this binary, its name.
func (a *app) supervisor(outDir string) (*runner.Supervisor, error) {
	exe, err := verb.Executable()
	if err != nil {
		return nil, err
	}
	state, err := runner.StateDir()
	if err != nil {
		return nil, err
	}
	out, err := filepath.Abs(outDir) // for the children; paths are shown as asked for
	if err != nil {
		return nil, record.NewFailure(record.RigHost, "find output folder", outDir, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // it is an annotation of the record
	}
	command := []string{exe, "child"}
	if a.Verbose {
		command = append(command, "--verbose")
	}
	return &runner.Supervisor{
		Command: command, Executable: exe, Out: out, StateDir: state, LockDir: port.LockDir(),
		Host: host, Version: verb.Version(), Arguments: signing.WithoutSigner(a.Args), GracePeriods: runner.DefaultGracePeriods(), Log: a.Log,
	}, nil
}

// supervised gives a run the signals that end it. When over is called its
// record is written.
func (a *app) supervised(sup *runner.Supervisor) (over func()) {
	signals, over := a.Interrupts(sup.Kill)
	sup.Signals, sup.Crashed = signals, a.BreakOff
	a.OnBreak(sup.Broke)
	return over
}

// sealRun signs the list of a run's files: what came out of a run that was to
// be sealed, and is not, is no success.
func (a *app) sealRun(dir string, r *record.Record, files map[string]string, sign dsse.Signer) error {
	if sign == nil {
		return nil
	}
	if files == nil {
		return record.NewFailure(record.RigHost, "seal", dir, errors.New("its files cannot be read"))
	}
	return seal.Seal{Run: r.Run.ID, Hilrig: verb.Version(), Sealed: time.Now().UTC().Round(0), Files: files}.Put(dir, sign)
}

package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/cli/view"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/junit"
	"hilrig/runner"
	"hilrig/selftest"
	"hilrig/suites"
)

// selftestFlags are the flags of `hilrig selftest` as typed.
type selftestFlags struct {
	faults, specs []string
	profiles      []string
	filter        string
	full, asJSON  bool
	form          form
	jobs          int
	timeout       time.Duration
	out           string
}

func (a *app) selftestCommand() *cobra.Command {
	f := &selftestFlags{}
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Run the suites against every faulty firmware and against the sound one",
		Long: `Run the suites against every faulty firmware of the emulated device's gallery
and against each shape of the sound one, and print which spec caught which
fault. 0 only if every fault is caught by a spec named for it, in words that
name the cause, and sound firmware passes everything.`,
		Example: `  hilrig selftest --fault no-verify
  hilrig selftest --fault silent-ok --fault late-ok --full
  hilrig selftest --profile chatty --full
  hilrig selftest --spec 'tls/*'`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.selftest(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.faults, "fault", nil, "only this faulty firmware (repeatable; default: all, and sound firmware)")
	fl.StringArrayVar(&f.profiles, "profile", nil, "only sound firmware of this shape (repeatable; emulate --list-profiles shows them)")
	fl.StringArrayVar(&f.specs, "spec", nil, "only this spec; tls/* takes an area (repeatable)")
	fl.StringVar(&f.filter, "label-filter", "", "only these specs, in Ginkgo's label language")
	fl.BoolVar(&f.full, "full", false, "hold every spec against every device, not only those named for it")
	fl.IntVar(&f.jobs, "jobs", 4*runtime.NumCPU(), "devices at once")
	fl.DurationVar(&f.timeout, "timeout", time.Hour, "for the whole run")
	fl.StringVar(&f.out, "out", filepath.Join("reports", "out"), "folder of run folders")
	f.form.register(cmd)
	fl.BoolVar(&f.asJSON, "json", false, "print the matrix as JSON on standard output, nothing else")
	a.completeSpecs(cmd)
	completeFaults(cmd)
	completeProfiles(cmd)
	return cmd
}

// plan is the gallery as a run: a device for each fault, with specs of its
// own.
func (f *selftestFlags) plan() (*runner.Plan, []selftest.Case, error) {
	chosen, err := suites.Select(suites.All(), f.filter, f.specs)
	if err != nil {
		return nil, nil, err
	}
	if f.jobs < 1 {
		return nil, nil, record.NewFailure(record.Usage, "read", "--jobs", fmt.Errorf("%d is less than 1", f.jobs))
	}
	if f.timeout <= 0 {
		return nil, nil, record.NewFailure(record.Usage, "read", "--timeout", fmt.Errorf("%s is not above zero", f.timeout))
	}
	cases, err := selftest.Cases(selftest.Request{Specs: chosen, Faults: f.faults, Profiles: f.profiles, Full: f.full})
	if err != nil {
		return nil, nil, err
	}
	p := &runner.Plan{
		Rig: "gallery", Hubs: []rigfile.Hub{rigfile.DefaultHub()}, Specs: chosen, Own: map[string][]fixtures.Spec{},
		Selected: suites.Describe(suites.All(), chosen, f.filter, f.specs),
		Repeat:   1, Attempts: 1, Jobs: f.jobs, Timeout: f.timeout,
	}
	for _, c := range cases {
		p.Devices = append(p.Devices, c.Device)
		p.Own[c.Device.Name] = c.Specs
	}
	return p, cases, nil
}

func (a *app) selftest(ctx context.Context, f *selftestFlags) error {
	plan, cases, err := f.plan()
	if err != nil {
		return err
	}
	if err := f.form.check(f.out, nil); err != nil {
		return err
	}
	a.Behind("selftest", verb.MostText, verb.LineMark)
	sup, err := a.supervisor(f.out)
	if err != nil {
		return err
	}
	defer a.supervised(sup)()
	sup.Begun = func(dir string, r *record.Record) { past.Begun(a.Log, sup.StateDir, dir, r) }
	if !f.asJSON {
		rows := newRows(a, cases)
		sup.Observe = rows.event
	}
	res, runErr := sup.Run(ctx, plan)
	if res == nil {
		return runErr
	}
	t := selftest.Judge(cases, res.Record)
	res.Record.Selftest = t
	a.Code = selftestExit(res.Record)
	made, err := a.renderSelftest(res, f.form)
	past.Ended(a.Log, sup.StateDir, res.Dir, res.Record)
	if f.asJSON {
		if err := a.PrintJSON(t); err != nil {
			return err
		}
	} else {
		a.selftestSummary(t, res.Record.Run, made)
	}
	if runErr != nil {
		return runErr
	}
	return err
}

// selftestExit is what a selftest is worth; its devices' own failures are as
// they should be.
func selftestExit(r *record.Record) int {
	switch {
	case r.Run.Interrupted:
		return runner.ExitInterrupted
	case r.Selftest.Verdict == record.Fail:
		return runner.ExitDevice
	case r.Selftest.Verdict != record.Pass || r.Run.TimedOut:
		return runner.ExitRig
	}
	return runner.ExitPass
}

// renderSelftest writes the record with its matrix, and the reports: the page
// of the whole run, and JUnit with a case for each fault.
func (a *app) renderSelftest(res *runner.Result, f form) ([]string, error) {
	if err := res.Record.Save(filepath.Join(res.Dir, record.RecordFile)); err != nil {
		return nil, err
	}
	made, err := a.render(res.Dir, res.Record, f)
	if err != nil {
		return made, err
	}
	var b bytes.Buffer
	if err := junit.Write(&b, selftest.AsRecord(res.Record.Selftest, res.Record.Run), junit.Options{Strict: f.strict}); err != nil {
		return made, fmt.Errorf("render junit.xml: %w", err)
	}
	return made, record.WriteFile(filepath.Join(res.Dir, "junit.xml"), b.Bytes(), 0o644)
}

// rows prints a line for each device of the gallery as soon as its last spec
// has ended.
type rows struct {
	a     *app
	ink   terminal.Palette
	width int
	cases map[string]selftest.Case
	left  map[string]int
	specs map[string][]record.SpecResult
	done  int
}

func newRows(a *app, cases []selftest.Case) *rows {
	r := &rows{a: a, ink: terminal.PaletteOf(a.Out), cases: map[string]selftest.Case{}, left: map[string]int{}, specs: map[string][]record.SpecResult{}}
	for _, c := range cases {
		r.cases[c.Device.Name], r.left[c.Device.Name] = c, len(c.Specs)
		r.width = max(r.width, len(c.Device.Name))
	}
	return r
}

func (r *rows) event(e record.Event) {
	if e.Kind == runner.KindRunHalting {
		fmt.Fprintln(r.a.Out, r.ink.Paint(terminal.Yellow, e.Text))
	}
	var s record.SpecResult
	if e.Kind != record.KindSpecFinished || e.Decode(&s) != nil {
		return
	}
	r.specs[e.Device] = append(r.specs[e.Device], s)
	if r.left[e.Device]--; r.left[e.Device] > 0 {
		return
	}
	c := r.cases[e.Device]
	r.done++
	t := selftest.Judge([]selftest.Case{c}, &record.Record{Devices: []record.DeviceRecord{{Name: e.Device, Specs: r.specs[e.Device]}}})
	fmt.Fprintf(r.a.Out, "%3d/%d  %s\n", r.done, len(r.cases), r.row(t))
}

// row is the line of a judgement of one device.
func (r *rows) row(t *record.Selftest) string {
	if len(t.Sound) > 0 {
		s := t.Sound[0]
		word := fmt.Sprintf("%d pass", s.Passed)
		if len(s.Others) > 0 {
			word += fmt.Sprintf(", %d not", len(s.Others))
		}
		return fmt.Sprintf("%s  %-*s  %s", r.ink.Verdict(s.Verdict), r.width, s.Device, word)
	}
	f := t.Faults[0]
	return fmt.Sprintf("%s  %-*s  %s", r.ink.Verdict(f.Verdict), r.width, f.Fault, catchers(f))
}

// catchers says how each spec named for a fault ended.
func catchers(f record.FaultRow) string {
	var words []string
	for _, n := range f.Named {
		word := n.Spec + " " + string(n.Verdict)
		if (n.Verdict == record.Fail || n.Verdict == record.Warn) && !n.Names {
			word += " without naming it"
		}
		words = append(words, word)
	}
	if f.Missing != "" {
		words = append(words, "("+f.Missing+")")
	}
	return strings.Join(words, ", ")
}

// selftestSummary is what a person reads last: what was missed, every alarm on
// sound firmware, and the counts.
func (a *app) selftestSummary(t *record.Selftest, run record.Run, reports []string) {
	ink, width := terminal.PaletteOf(a.Out), terminal.Width(a.Out)
	fmt.Fprintln(a.Out)
	passed, caught, judged := 0, 0, len(t.Faults)
	for _, s := range t.Sound {
		if s.Verdict == record.Pass {
			passed++
		}
		for _, o := range s.Others {
			fmt.Fprintf(a.Out, "%s %s on sound firmware (%s)\n%s\n", ink.Verdict(o.Verdict), ink.Paint(terminal.Bold, o.Spec), s.Profile, terminal.Wrap(wording.Clip(terminal.OneLine(o.Message), 400), "  ", width))
		}
	}
	for _, f := range t.Faults {
		if f.Verdict == record.Pass {
			caught++
			a.collateral(f, ink, width)
			continue
		}
		if f.Verdict == record.NotApplicable {
			judged--
			a.collateral(f, ink, width)
			continue
		}
		fmt.Fprintf(a.Out, "%s %s: %s\n", ink.Verdict(f.Verdict), ink.Paint(terminal.Bold, f.Fault), f.Doc)
		fmt.Fprint(a.Out, terminal.Wrap(f.Missing, "  ", width))
		for _, n := range f.Named {
			fmt.Fprint(a.Out, terminal.Wrap(wording.Clip(fmt.Sprintf("%s: %s %s", n.Spec, n.Verdict, terminal.OneLine(n.Message)), 400), "  ", width))
		}
		a.collateral(f, ink, width)
		fmt.Fprintln(a.Out)
	}
	for _, id := range t.Unproven {
		fmt.Fprintf(a.Out, "%s %s: no fault turned it red\n", ink.Verdict(record.Fail), ink.Paint(terminal.Bold, id))
	}
	fmt.Fprintf(a.Out, "%s  sound firmware %d of %d, faults caught %d of %d, specs proven %d of %d in %s\n", ink.Verdict(t.Verdict),
		passed, len(t.Sound), caught, judged, len(t.Specs)-len(t.Unproven), len(t.Specs), view.Took(run))
	for _, p := range reports {
		fmt.Fprintln(a.Out, terminal.Path(p))
	}
}

// collateral tells of the specs that a fault turned red beyond those named for
// it (--full): those whose words name the fault in a line, the others, which
// it does not explain, each with what it said.
func (a *app) collateral(f record.FaultRow, ink terminal.Palette, width int) {
	var explained []string
	var others []record.Caught
	for _, c := range f.Collateral {
		if c.Names {
			explained = append(explained, c.Spec+" "+string(c.Verdict))
			continue
		}
		others = append(others, c)
	}
	if len(explained) > 0 {
		slices.Sort(explained)
		fmt.Fprintf(a.Out, "%s also turned, in words that name it\n%s", ink.Paint(terminal.Bold, f.Fault), terminal.Wrap(strings.Join(explained, ", "), "  ", width))
	}
	if len(others) > 0 {
		fmt.Fprintf(a.Out, "%s also turned, and does not explain\n", ink.Paint(terminal.Bold, f.Fault))
	}
	for _, c := range others {
		fmt.Fprint(a.Out, terminal.Wrap(wording.Clip(fmt.Sprintf("%s %s: %s", c.Spec, c.Verdict, terminal.OneLine(c.Message)), 300), "  ", width))
	}
}

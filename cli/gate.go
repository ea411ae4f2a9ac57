package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/signing"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/reports/gate"
	"hilrig/reports/interchange"
	"hilrig/runner"
)

// gateFlags are the flags of `hilrig gate` as typed.
type gateFlags struct {
	policy, waivers string
	firmware        string
	firmwareFile    string
	out             string
	asJSON          bool
	statement       string
	signing         signing.Flags
	sealKeys        []string
	baseline        string
	baselineKey     string
	verdict         string
	junit           string
	markdown        string
	annotations     bool
}

func (a *app) gateCommand() *cobra.Command {
	f := &gateFlags{}
	cmd := &cobra.Command{
		Use:   "gate [RUN...]",
		Short: "Say whether a firmware may ship, by a policy",
		Long: `Say by a policy whether a firmware may ship: PASS, FAIL or INCONCLUSIVE, with a
line for each rule. RUN is a run folder, a run id, latest (the default) or
latest~1. FAIL only for an accepted result that fails; what lacks, is not
accepted or is damaged is INCONCLUSIVE.

Exit code 0 for PASS, 1 for FAIL, 3 for INCONCLUSIVE; 2 for a policy or a waiver
file that is broken, and for a waiver that has expired.`,
		Example: `  hilrig gate --policy gate.yaml
  hilrig gate --policy gate.yaml --waivers waivers.yaml --firmware-file fw.bin latest latest~1
  hilrig gate --policy gate.yaml --firmware-file fw.bin --statement fw.dsse --key release.pem
  hilrig gate init latest > gate.yaml
  hilrig gate explain --policy gate.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := verb.Required(cmd, "policy"); err != nil {
				return err
			}
			ctx, stop := a.UntilSignal(cmd.Context())
			defer stop()
			defer a.NotLongAfter(ctx)() // a pipe is read for as long as its writer likes
			return a.gate(ctx, f, args)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.policy, "policy", "", "policy file (hilrig schema policy)")
	fl.StringVar(&f.waivers, "waivers", "", "waiver file (hilrig schema waivers)")
	fl.StringVar(&f.firmware, "firmware", "", "version that is judged (default: the policy's, else that of the runs)")
	fl.StringVar(&f.firmwareFile, "firmware-file", "", "image that is judged, by its SHA-256")
	fl.StringVar(&f.out, "out", filepath.Join("reports", "out"), "folder of run folders, for an id or latest")
	fl.BoolVar(&f.asJSON, "json", false, "print the verdict as JSON")
	fl.StringVar(&f.verdict, "verdict", "", "write the verdict here, as JSON (hilrig schema verdict)")
	fl.StringVar(&f.junit, "junit", "", "write JUnit here, with a case for each rule")
	fl.StringVar(&f.markdown, "markdown", "", "write a summary here, for a CI job or a merge request")
	fl.StringVar(&f.statement, "statement", "", "write a signed statement about the image here (in-toto test-result in a DSSE envelope)")
	fl.BoolVar(&f.annotations, "annotations", false, "print annotations of a GitHub job last, at the policy")
	f.signing.Register(fl, "statement")
	fl.StringArrayVar(&f.sealKeys, "seal-key", nil, "public key of a bench that seals its runs, PEM (repeatable)")
	fl.StringVar(&f.baseline, "baseline", "", "statement of the firmware that was released last (default: the policy's baseline)")
	fl.StringVar(&f.baselineKey, "baseline-key", "", "public key of whoever signed that, PEM; without --baseline the last statement of this key that says PASS is taken, of those that runs of this host keep")
	cmd.AddCommand(a.gateInitCommand(), a.gateExplainCommand(), a.gateVerifyCommand())
	return cmd
}

func (a *app) gateInitCommand() *cobra.Command {
	out := filepath.Join("reports", "out")
	cmd := &cobra.Command{
		Use:     "init [RUN]",
		Short:   "Print a policy that asks for what a run has asked",
		Example: "  hilrig gate init latest > gate.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := named.Run(out, append(args, "latest")[0], false)
			if err != nil {
				return err
			}
			rec, err := runner.Load(dir)
			if err != nil {
				return err
			}
			policy, err := gate.Draft(rec, a.Known())
			if err == nil {
				_, err = a.Out.Write(policy)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", out, "folder of run folders, for an id or latest")
	return cmd
}

func (a *app) gateExplainCommand() *cobra.Command {
	var policy string
	cmd := &cobra.Command{
		Use:     "explain",
		Short:   "Say a policy in sentences",
		Example: "  hilrig gate explain --policy gate.yaml",
		Args:    verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := verb.Required(cmd, "policy"); err != nil {
				return err
			}
			p, err := a.readPolicy(policy)
			if err != nil {
				return err
			}
			for _, line := range p.Explain(a.Known()) {
				fmt.Fprint(a.Out, terminal.Wrap(line, "", terminal.Width(a.Out)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&policy, "policy", "", "policy file (hilrig schema policy)")
	return cmd
}

func (a *app) readPolicy(path string) (*gate.Policy, error) {
	data, err := named.Text("policy", path)
	if err != nil {
		return nil, err
	}
	return gate.ReadPolicy(path, data, a.Known())
}

// gate asks and answers.
func (a *app) gate(ctx context.Context, f *gateFlags, names []string) error {
	if f.asJSON && f.annotations {
		return verb.NoAnnotations()
	}
	if err := errors.Join(f.apart(), f.clear()); err != nil {
		return err
	}
	signer, err := f.signing.Signer(ctx, f.statement != "", "--statement", nil)
	if err != nil {
		return err
	}
	q, err := a.question(ctx, f, names)
	if ctx.Err() != nil {
		return verb.ErrInterrupted
	}
	if err != nil {
		return err
	}
	v := gate.Judge(*q)
	if err := f.write(v); err != nil {
		return err
	}
	if err := a.issue(v, q.Runs, f.statement, f.firmwareFile, signer); err != nil {
		if ctx.Err() != nil {
			return verb.ErrInterrupted
		}
		return err
	}
	a.Code = map[gate.Word]int{gate.Pass: runner.ExitPass, gate.Fail: runner.ExitDevice, gate.Inconclusive: runner.ExitRig}[v.Verdict]
	if f.asJSON {
		return a.PrintJSON(v)
	}
	a.showVerdict(v)
	if f.annotations {
		return interchange.WriteAnnotations(terminal.Unfiltered(a.Out), terminal.Path(f.policy), annotate(v))
	}
	return nil
}

// annotate are the remarks on a verdict: every rule that is not PASS, what is
// red first, then the warnings.
func annotate(v *gate.Verdict) (all []interchange.Annotation) {
	for _, word := range []gate.Word{gate.Fail, gate.Inconclusive} {
		for _, r := range v.Rules {
			if r.Verdict == word {
				all = append(all, interchange.Annotation{Error: true, Title: fmt.Sprintf("%s: %s", word, r.Name), Text: terminal.OneLine(r.Text)})
			}
		}
	}
	for _, w := range v.Warnings {
		all = append(all, interchange.Annotation{Title: "gate", Text: terminal.OneLine(w)})
	}
	return all
}

// write writes what CI reads.
func (f *gateFlags) write(v *gate.Verdict) error {
	for _, w := range []struct {
		file   string
		render func() ([]byte, error)
	}{
		{f.verdict, func() ([]byte, error) { return json.MarshalIndent(v, "", " ") }},
		{f.junit, v.JUnit},
		{f.markdown, func() ([]byte, error) { return v.Markdown(), nil }},
	} {
		if w.file == "" {
			continue
		}
		text, err := w.render()
		if err != nil {
			return fmt.Errorf("render %s: %w", w.file, err)
		}
		if err := record.WriteFile(w.file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// question gathers all that a verdict is made of.
func (a *app) question(ctx context.Context, f *gateFlags, names []string) (*gate.Question, error) {
	q := &gate.Question{Catalogue: a.Known(), Now: time.Now(), Version: verb.Version()}
	var err error
	if q.Policy, err = a.readPolicy(f.policy); err != nil {
		return nil, err
	}
	if f.waivers != "" {
		data, err := named.Text("waivers", f.waivers)
		if err != nil {
			return nil, err
		}
		if q.Waivers, err = gate.ReadWaivers(f.waivers, data, q.Policy, q.Catalogue, q.Now); err != nil {
			return nil, err
		}
	}
	judged, err := runner.DescribeFirmware(record.Firmware{Version: f.firmware, File: f.firmwareFile})
	if err != nil {
		return nil, err
	}
	q.Firmware = gate.Wanted{Version: judged.Version, SHA256: judged.SHA256}
	if len(names) == 0 {
		names = []string{"latest"}
	}
	var dirs []string
	for _, name := range names {
		dir, err := named.Run(f.out, name, false)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	q.Runs = make([]gate.Run, len(dirs))
	_ = sideBySide(len(dirs), func(i int) error { // one that is damaged is damaged
		q.Runs[i] = readRun(dirs[i])
		q.Runs[i].Given = true
		return nil
	})
	keys, err := f.benches(q.Policy)
	if err != nil {
		return nil, err
	}
	if q.Released, err = f.released(ctx, q); err != nil {
		return nil, err
	}
	ends := fromHistory(ctx, q, f.out)
	return q, sideBySide(len(q.Runs), func(i int) error {
		r := &q.Runs[i]
		if !r.Given {
			readUnlisted(r)
		}
		return holdRun(ctx, r, ends[r.ID], keys)
	})
}

// sideBySide does something with each of n runs, as many at once as there are
// processors: to read evidence takes those, not the disk.
func sideBySide(n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// readRun reads a run for a gate: one that is damaged is damaged, and no error.
func readRun(dir string) gate.Run {
	r := gate.Run{ID: filepath.Base(dir), Dir: dir}
	rec, text, err := runner.LoadText(dir)
	if err != nil {
		r.Damage = terminal.OneLine(err.Error())
		if errors.Is(err, fs.ErrNotExist) {
			r.Damage = "its folder is gone: " + dir
		}
		return r
	}
	sum := sha256.Sum256(text)
	r.Record, r.ID, r.SHA256 = rec, rec.Run.ID, hex.EncodeToString(sum[:])
	return r
}

// showVerdict shows a verdict at a terminal: the rules, what is wrong below
// each, and the answer last.
func (a *app) showVerdict(v *gate.Verdict) {
	ink, width := terminal.PaletteOf(a.Out), terminal.Width(a.Out)
	styles := map[gate.Word]terminal.Style{gate.Pass: terminal.Green, gate.Fail: terminal.Red, gate.Inconclusive: terminal.Cyan}
	const most = 10 // lines below a rule; --json has all
	for _, r := range v.Rules {
		word := ink.Paint(styles[r.Verdict], fmt.Sprintf("%-12s", r.Verdict))
		if len(r.Details) == 0 {
			fmt.Fprintf(a.Out, "%s  %s: %s\n", word, r.Name, terminal.OneLine(r.Text))
			continue
		}
		fmt.Fprintf(a.Out, "%s  %s\n", word, r.Name)
		for i, d := range r.Details {
			if i == most {
				fmt.Fprintf(a.Out, "    and %d more\n", len(r.Details)-most)
				break
			}
			fmt.Fprint(a.Out, terminal.Wrap(terminal.OneLine(d), "    ", width))
		}
	}
	for _, w := range v.Warnings {
		fmt.Fprint(a.Out, terminal.Wrap(ink.Paint(terminal.Yellow, "warning")+"  "+terminal.OneLine(w), "", width))
	}
	for _, w := range v.Waived {
		fmt.Fprint(a.Out, terminal.Wrap(terminal.OneLine(fmt.Sprintf("waived  %s by %s until %s: %s (%s)", w.Spec, w.Owner, w.Expires, w.Reason, w.Issue)), "", width))
	}
	fmt.Fprintf(a.Out, "\n%s\n", strings.TrimSuffix(terminal.Wrap(v.Sentence(), "", width), "\n"))
}

package gate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/signing"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/reports/gate"
	"hilrig/reports/interchange"
	"hilrig/runner"
)

// flags are the flags of `hilrig gate` as typed.
type flags struct {
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

// verbs are those of this room.
type verbs struct{ *verb.App }

// Command is the verb gate with those below it.
func Command(on *verb.App) *cobra.Command {
	a := verbs{on}
	f := &flags{}
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
			return a.answer(ctx, f, args)
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
	cmd.AddCommand(a.initCommand(), a.explainCommand(), a.verifyCommand())
	return cmd
}

func (a verbs) initCommand() *cobra.Command {
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

func (a verbs) explainCommand() *cobra.Command {
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

func (a verbs) readPolicy(path string) (*gate.Policy, error) {
	data, err := named.Text("policy", path)
	if err != nil {
		return nil, err
	}
	return gate.ReadPolicy(path, data, a.Known())
}

// answer asks and answers.
func (a verbs) answer(ctx context.Context, f *flags, names []string) error {
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
	statement, err := a.sign(v, f.firmwareFile, signer)
	if ctx.Err() != nil {
		return verb.ErrInterrupted
	}
	if err == nil {
		err = f.write(v, q.Runs, statement)
	}
	if err != nil {
		return err
	}
	a.Code = map[gate.Word]int{gate.Pass: runner.ExitPass, gate.Fail: runner.ExitDevice, gate.Inconclusive: runner.ExitRig}[v.Verdict]
	if f.asJSON {
		return a.PrintJSON(v)
	}
	a.show(v)
	if f.annotations {
		return interchange.WriteAnnotations(terminal.Unfiltered(a.Out), terminal.Path(f.policy), annotate(v))
	}
	return nil
}

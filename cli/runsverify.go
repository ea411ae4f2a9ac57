package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/seal"
	"hilrig/runner"
)

func (a *app) runsVerify() *cobra.Command {
	var out, key string
	cmd := &cobra.Command{
		Use:   "verify RUN",
		Short: "Hold a run's folder against its seal, offline",
		Long: `Hold a run's folder against its seal (hilrig run --seal), and the seal against the
public key of whoever sealed it. Nobody is asked over the network. What hilrig
runs prune took counts as pruned, and a record that was made anew of its events
is the same record.

Exit code 0 for a run that is as it was sealed, 3 for one that is not, with what
was edited.`,
		Example: "  hilrig runs verify latest --key bench.pub",
		Args:    verb.Exactly("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := verb.Required(cmd, "key"); err != nil {
				return err
			}
			return a.verifySeal(cmd.Context(), out, args[0], key)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key, PEM; one of several in a file")
	cmd.Flags().StringVar(&out, "out", filepath.Join("reports", "out"), "folder of run folders, for an id or latest")
	return cmd
}

func (a *app) verifySeal(ctx context.Context, out, run, key string) error {
	keys, err := named.Keys(key)
	if err != nil {
		return err
	}
	dir, err := named.Run(out, run, true)
	if err != nil {
		return err
	}
	id := filepath.Base(dir)
	if rec, err := runner.Load(dir); err == nil { // one that cannot be read is not what was sealed
		id = rec.Run.ID
	}
	held, err := seal.Open(dir, runner.Replay).Check(ctx, id, keys...)
	if err != nil {
		return err
	}
	if lack := held.Lack(); lack != "" {
		return record.NewFailure(record.RigHost, "verify run", id, errors.New(lack))
	}
	fmt.Fprintf(a.Out, "run     %s\nsealed  %s by hilrig %s\nfiles   %s as sealed", terminal.OneLine(held.Run), held.Sealed.Format(time.RFC3339), terminal.OneLine(held.Hilrig), wording.Plural(len(held.Files)-len(held.Pruned), "file"))
	if n := len(held.Pruned); n > 0 {
		fmt.Fprintf(a.Out, ", %d pruned", n)
	}
	fmt.Fprintln(a.Out)
	for _, name := range held.Anew {
		fmt.Fprintf(a.Out, "anew    %s, made of its events\n", terminal.OneLine(name))
	}
	return nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/dsse"
	"hilrig/record/wording"
	"hilrig/reports/gate"
	"hilrig/reports/seal"
	"hilrig/runner"
)

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

// benches are the keys by one of which a run must be sealed.
func (f *gateFlags) benches(p *gate.Policy) ([]dsse.Key, error) {
	keys, asked := p.SealKeys()
	if len(keys) > 0 && len(f.sealKeys) > 0 {
		return nil, record.NewFailure(record.Usage, "check seals", "", errors.New("--seal-key names another key than the policy, which has those that count"))
	}
	for _, name := range f.sealKeys {
		more, err := named.Keys(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	if asked && len(keys) == 0 {
		return nil, record.NewFailure(record.Usage, "check seals", "", errors.New("the policy asks for sealed runs, and nobody says by which key")).
			WithCure("--seal-key FILE, or evidence.sealed of the policy holds the public key")
	}
	return keys, nil
}

// holdRun holds a run's files against what they were when it ended, as the
// history has them, and against its seal.
func holdRun(ctx context.Context, r *gate.Run, end map[string]string, keys []dsse.Key) error {
	if r.Record == nil {
		return nil
	}
	folder := seal.Open(r.Dir, runner.Replay).Knows(record.RecordFile, r.SHA256)
	held, err := folder.Check(ctx, r.ID, keys...)
	found := held.Found
	if err == nil && (held.Seal == nil || !maps.Equal(held.Files, end)) {
		found, err = folder.Hold(ctx, end)
	}
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		r.Record, r.Damage = nil, terminal.OneLine(err.Error())
		return nil
	}
	r.Edited, r.Unsealed, r.BadSeal = found.Edited, held.Lack(), held.Broken()
	return nil
}

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

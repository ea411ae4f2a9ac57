package history

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/reports/history"
	"hilrig/runner"
)

func (a verbs) importRuns() *cobra.Command {
	return &cobra.Command{
		Use:     "import DIR",
		Short:   "Take run folders in, also another host's",
		Long:    "Take a run folder in, or all of a folder. What is known is corrected.",
		Example: "  hilrig history import reports/out",
		Args:    verb.Exactly("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dirs, err := named.Runs(args[0])
			if err != nil {
				return err
			}
			return a.takeIn(cmd.Context(), dirs)
		},
	}
}

func (a verbs) rebuildCommand() *cobra.Command {
	out := filepath.Join("reports", "out")
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Correct the history by the run folders that are there",
		Long: `Correct the history by the run folders that are there: those that it knows, and
those of --out. A run whose folder is gone stays in it. A history that is damaged
is set aside, and a new one made of the folders and of what can be read of it.`,
		Example: "  hilrig history rebuild",
		Args:    verb.Exactly(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.rebuild(cmd.Context(), out) },
	}
	cmd.Flags().StringVar(&out, "out", out, "folder of run folders")
	return cmd
}

func (a verbs) rebuild(ctx context.Context, out string) error {
	state, err := runner.StateDir()
	if err != nil {
		return err
	}
	dirs, err := knownFolders(ctx, state)
	if history.Sound(err) {
		return err // nothing is gained by another one
	}
	salvaged := 0
	if err != nil {
		if salvaged, err = a.salvage(ctx, state, err); err != nil {
			return err
		}
		if dirs, err = knownFolders(ctx, state); err != nil {
			return err
		}
	}
	more, err := named.Runs(out)
	if err != nil && len(dirs)+salvaged == 0 {
		return err
	}
	return a.takeIn(ctx, append(dirs, more...))
}

// salvage puts a new history in the place of a damaged one, of what can still be
// read of it.
func (a verbs) salvage(ctx context.Context, state string, damage error) (runs int, err error) {
	aside, runs, err := history.Renew(ctx, state, time.Now())
	if err != nil {
		return 0, errors.Join(damage, err)
	}
	a.Log.Warn("the history is damaged: a new one is made of what can be read of it, and of the folders", "set_aside", aside, "err", damage)
	fmt.Fprintf(a.Out, "%s read from the damaged history\n", wording.Plural(runs, "run"))
	return runs, nil
}

// knownFolders are the folders that the history knows and that are there.
func knownFolders(ctx context.Context, state string) (dirs []string, err error) {
	h, err := history.Open(ctx, state)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if err := h.Check(ctx); err != nil {
		return nil, err
	}
	all, err := h.Runs(ctx, 0)
	for _, r := range all {
		if record.There(filepath.Join(r.Dir, record.RecordFile)) {
			dirs = append(dirs, r.Dir)
		}
	}
	return dirs, err
}

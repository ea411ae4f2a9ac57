package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/runner"
)

func (a *app) runsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "runs",
		Short:   "Keep run folders small, and hold them against their seals",
		Example: "  hilrig runs prune --dry-run",
		Args:    verb.Subject,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.runsPrune(), a.runsVerify())
	return cmd
}

// pruning says of which runs the streams stay.
type pruning struct {
	out               string
	nights, redNights int
	dryRun            bool
}

func (a *app) runsPrune() *cobra.Command {
	var p pruning
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove the streams of old runs; their records stay, compressed",
		Long: `Remove the streams of old runs: events, transcripts, timelines. The record stays
for ever, as run.json.gz, and every verb reads it; the reports stay too.

The streams of the last nights stay, those of runs that were not green longer. A
night is a day (UTC) on which something was run. A run that goes on, and one that
a statement names, is never touched.`,
		Example: `  hilrig runs prune --dry-run
  hilrig runs prune --nights 14 --red-nights 60`,
		Args: verb.Exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.prune(cmd.Context(), p) },
	}
	fl := cmd.Flags()
	fl.StringVar(&p.out, "out", filepath.Join("reports", "out"), "folder of run folders")
	fl.IntVar(&p.nights, "nights", 14, "nights whose streams stay")
	fl.IntVar(&p.redNights, "red-nights", 60, "nights whose red runs' streams stay")
	fl.BoolVar(&p.dryRun, "dry-run", false, "say what would go, and remove nothing")
	return cmd
}

// kept is a run that may be pruned.
type kept struct {
	dir, night string
	red        bool
}

func (a *app) prune(ctx context.Context, p pruning) error {
	if p.nights < 1 || p.redNights < p.nights {
		return record.NewFailure(record.Usage, "read", "--nights", errors.New("at least 1, and at most --red-nights"))
	}
	runs, err := a.prunable(p.out)
	if err != nil {
		return err
	}
	var nights []string
	for _, r := range runs {
		nights = append(nights, r.night)
	}
	slices.Sort(nights)
	nights = slices.Compact(nights)
	slices.Reverse(nights)
	n, freed := 0, int64(0)
	var errs []error
	for _, r := range runs {
		most := p.nights
		if r.red {
			most = p.redNights
		}
		if slices.Index(nights, r.night) < most || runner.Named(r.dir) {
			continue
		}
		names, size, err := runner.Streams(r.dir)
		if err == nil && len(names) == 0 {
			continue // pruned already
		}
		if err == nil && !p.dryRun {
			err = runner.Prune(ctx, r.dir)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n, freed = n+1, freed+size
		fmt.Fprintln(a.Out, terminal.Path(r.dir))
	}
	word := "pruned"
	if p.dryRun {
		word = "would be pruned"
	}
	fmt.Fprintf(a.Out, "%s %s, %.1f MB of streams\n", wording.Plural(n, "run"), word, float64(freed)/1e6)
	return errors.Join(errs...)
}

// prunable are the runs of a folder that are over and whose records can be read.
func (a *app) prunable(out string) (runs []kept, err error) {
	dirs, err := named.Runs(out)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
			continue // a link to another's
		}
		rec, err := runner.Load(dir)
		if err != nil {
			a.Log.Warn("a run is left as it is", "err", err)
			continue
		}
		if !rec.Run.UnderWay {
			runs = append(runs, kept{dir, rec.Run.Started.UTC().Format(time.DateOnly), !rec.Run.Verdict.Green()})
		}
	}
	return runs, nil
}

package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/past"
	"hilrig/cli/terminal"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	var rebuild bool
	var f form
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render the reports of a run again from its record",
		Long: `Render junit.xml and report.html of a run again from its run.json. RUN is a run
folder, a run id, latest, or latest~1, the one before. What other tools read is
written where you ask for it.

--requirements says in report.html, in junit.xml and in --markdown what became
of each requirement of a list: guide are the steps of the manufacturer's guide,
device-advisor AWS IoT Device Advisor's tests; or name a file of your own.

A run.json that is damaged or lost is made anew from events.jsonl by --rebuild,
and put in its place. What the events do not say has no verdict.`,
		Example: `  hilrig report latest
  hilrig report latest --rebuild
  hilrig report reports/out/20261122T231501Z-7f3a --junit-strict
  hilrig report latest --requirements guide --markdown summary.md
  hilrig report latest --ctrf ctrf.json --allure allure-results --metrics hilrig.prom
  hilrig report latest --annotations`,
		Args: verb.Exactly("RUN"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := named.Run(out, args[0], rebuild)
			if err != nil {
				return err
			}
			if err := f.check(dir, a.Known()); err != nil {
				return err
			}
			if rebuild {
				if err := a.rebuild(dir); err != nil {
					return err
				}
			}
			return a.report(dir, f)
		},
	}
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "make a damaged or lost run.json anew from events.jsonl first")
	cmd.Flags().StringVar(&out, "out", filepath.Join("reports", "out"), "folder of run folders, for an id or latest")
	f.register(cmd)
	f.registerAsked(cmd)
	return cmd
}

// rebuild makes the record of a run anew, and says what it could not be given.
func (a *app) rebuild(dir string) error {
	rec, err := runner.Rebuild(dir)
	if err != nil {
		return err
	}
	if rec.Run.Lost != "" {
		a.Log.Warn("no verdict: " + rec.Run.Lost)
	}
	fmt.Fprintln(a.Out, terminal.Path(filepath.Join(dir, record.RecordFile)))
	return nil
}

func (a *app) report(dir string, f form) error {
	rec, err := runner.Load(dir)
	if err != nil {
		return err
	}
	for _, name := range runner.Rounds(dir) {
		if !record.There(filepath.Join(name, record.RecordFile)) {
			continue
		}
		one, err := runner.Load(name)
		if err != nil {
			return err
		}
		if _, err := a.render(name, one, f.ofRound()); err != nil {
			return err
		}
	}
	made, err := a.render(dir, rec, f)
	for _, name := range made {
		fmt.Fprintln(a.Out, terminal.Path(name))
	}
	return errors.Join(err, a.annotate(dir, rec, f))
}

// render writes every report of a run and returns their paths, the best to
// look at last. One that cannot be rendered does not keep the others from
// being written.
func (a *app) render(dir string, rec *record.Record, f form) ([]string, error) {
	var made []string
	var errs []error
	f.earlier = past.Before(a.Log, dir, rec)
	for _, r := range renderers {
		path := r.at(dir, f.asked)
		if path == "" {
			continue
		}
		if err := r.write(path, dir, rec, f); err != nil {
			errs = append(errs, fmt.Errorf("render %s: %w", filepath.Base(path), err))
			continue
		}
		made = append(made, path)
	}
	return made, errors.Join(errs...)
}

// renderRound is render after a round of several: the run goes on whatever
// becomes of its reports, which are rendered again at the end.
func (a *app) renderRound(dir string, rec *record.Record, f form) {
	if _, err := a.render(dir, rec, f.ofRound()); err != nil {
		a.Log.Warn("reports of a round", "folder", dir, "err", err)
	}
}

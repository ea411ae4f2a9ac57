package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hilrig/cli/named"
	"hilrig/cli/terminal"
	"hilrig/record"
	"hilrig/record/requirements"
	"hilrig/reports/html"
	"hilrig/reports/interchange"
	"hilrig/reports/junit"
)

// form is how the reports of a run are to be written.
type form struct {
	strict bool   // junit.xml without what Jenkins' xUnit schema lacks
	root   string // attachments of junit.xml are named relative to it; empty: absolute

	asked        outputs
	requirements string
	list         *requirements.List // that requirements names; nil: none

	earlier *html.Earlier // what is known from before the run
}

// outputs are the reports that are written where somebody asks for them.
type outputs struct {
	ctrf, allure, metrics, markdown string
	annotations                     bool
}

func (f *form) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.strict, "junit-strict", false, "junit.xml without what Jenkins' xUnit schema lacks")
	cmd.Flags().StringVar(&f.root, "junit-root", "", "name attachments in junit.xml relative to this folder, as GitLab wants them (default: absolute, as Jenkins does)")
}

// registerAsked is for verbs whose devices are not faulty on purpose.
func (f *form) registerAsked(cmd *cobra.Command) {
	fl, o := cmd.Flags(), &f.asked
	fl.StringVar(&f.requirements, "requirements", "", "say what became of each requirement of this list: a file (hilrig schema requirements), "+strings.Join(requirements.Names(), " or "))
	fl.StringVar(&o.ctrf, "ctrf", "", "write CTRF here, as JSON")
	fl.StringVar(&o.allure, "allure", "", "write Allure results into this folder")
	fl.StringVar(&o.metrics, "metrics", "", "write Prometheus' text here, for a textfile collector")
	fl.StringVar(&o.markdown, "markdown", "", "write a summary here, for a CI job or a merge request")
	fl.BoolVar(&o.annotations, "annotations", false, "print annotations of a GitHub job last")
}

// check reads the list of requirements, makes root absolute and refuses one that does not hold the run's
// folder: no consumer would find an attachment.
func (f *form) check(runs string, catalogue []requirements.Spec) error {
	if err := f.readRequirements(catalogue); err != nil {
		return err
	}
	if f.root == "" {
		return nil
	}
	var err error
	if f.root, err = filepath.Abs(f.root); err != nil {
		return record.NewFailure(record.RigHost, "find", "--junit-root", err)
	}
	at, err := filepath.Abs(runs)
	if err != nil {
		return record.NewFailure(record.RigHost, "find", runs, err)
	}
	if _, ok := junit.Below(f.root, at); !ok {
		return record.NewFailure(record.Usage, "read", "--junit-root", fmt.Errorf("%s is not below %s", at, f.root)).
			WithCure("name a folder that holds the run folders")
	}
	return nil
}

// readRequirements reads the list that comes with this binary, or somebody's own.
func (f *form) readRequirements(catalogue []requirements.Spec) error {
	if f.requirements == "" {
		return nil
	}
	data, known := requirements.Shipped(f.requirements)
	if !known {
		var err error
		if data, err = named.Text("requirements", f.requirements); err != nil {
			var fail *record.Failure
			if errors.As(err, &fail) {
				return fail.WithCure("name a file, " + strings.Join(requirements.Names(), " or "))
			}
			return err
		}
	}
	var err error
	f.list, err = requirements.Read(f.requirements, data, catalogue)
	return err
}

// ofRound is the form of the reports of one round of several: what stands
// elsewhere than in the run's folder is of the whole run.
func (f form) ofRound() form {
	f.asked = outputs{}
	return f
}

// renderers are the reports of a run, the best to look at last. At says where
// one is to stand; empty: nowhere.
var renderers = []struct {
	at    func(dir string, o outputs) string
	write func(path, dir string, r *record.Record, f form) error
}{
	{func(_ string, o outputs) string { return o.metrics }, file(func(w io.Writer, _ string, r *record.Record, _ form) error {
		return interchange.Metrics(w, r)
	})},
	{func(_ string, o outputs) string { return o.allure }, func(path, dir string, r *record.Record, f form) error {
		return interchange.Allure(path, r, dir, f.list.Of)
	}},
	{func(_ string, o outputs) string { return o.ctrf }, file(func(w io.Writer, _ string, r *record.Record, f form) error {
		return interchange.CTRF(w, r, f.list.Of)
	})},
	{func(_ string, o outputs) string { return o.markdown }, file(func(w io.Writer, _ string, r *record.Record, f form) error {
		return interchange.Markdown(w, r, f.list.Judge(r))
	})},
	{inFolder("junit.xml"), file(func(w io.Writer, dir string, r *record.Record, f form) error {
		return junit.Write(w, r, junit.Options{Strict: f.strict, RunDir: dir, Root: f.root, Requirements: f.list.Of})
	})},
	{inFolder("report.html"), file(func(w io.Writer, dir string, r *record.Record, f form) error {
		return html.Write(w, r, html.Options{RunDir: dir, Requirements: f.list.Judge(r), Earlier: f.earlier})
	})},
}

func inFolder(name string) func(string, outputs) string {
	return func(dir string, _ outputs) string { return filepath.Join(dir, name) }
}

// file writes a report that is one file, whole.
func file(render func(w io.Writer, dir string, r *record.Record, f form) error) func(string, string, *record.Record, form) error {
	return func(path, dir string, r *record.Record, f form) error {
		var b bytes.Buffer
		if err := render(&b, dir, r, f); err != nil {
			return err
		}
		return record.WriteFile(path, b.Bytes(), 0o644)
	}
}

// annotate prints what a GitHub job shows beside its log.
func (a *app) annotate(dir string, r *record.Record, f form) error {
	if !f.asked.annotations {
		return nil
	}
	return interchange.WriteAnnotations(terminal.Unfiltered(a.Out), terminal.Path(filepath.Join(dir, "report.html")), interchange.Annotate(r))
}

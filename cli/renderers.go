package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"hilrig/record"
	"hilrig/reports/html"
	"hilrig/reports/junit"
)

// form is how the reports of a run are to be written.
type form struct {
	strict bool   // junit.xml without what Jenkins' xUnit schema lacks
	root   string // attachments of junit.xml are named relative to it; empty: absolute
}

func (f *form) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.strict, "junit-strict", false, "junit.xml without what Jenkins' xUnit schema lacks")
	cmd.Flags().StringVar(&f.root, "junit-root", "", "name attachments in junit.xml relative to this folder, as GitLab wants them (default: absolute, as Jenkins does)")
}

// check makes root absolute and refuses one that does not hold the run's
// folder: no consumer would find an attachment.
func (f *form) check(runs string) error {
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

// renderers are the reports of a run, the best to look at last.
var renderers = []struct {
	file   string
	render func(w io.Writer, dir string, r *record.Record, f form) error
}{
	{"junit.xml", func(w io.Writer, dir string, r *record.Record, f form) error {
		return junit.Write(w, r, junit.Options{Strict: f.strict, RunDir: dir, Root: f.root})
	}},
	{"report.html", func(w io.Writer, dir string, r *record.Record, _ form) error {
		return html.Write(w, r, dir)
	}},
}

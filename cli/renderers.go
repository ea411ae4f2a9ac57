package cli

import (
	"io"

	"hilrig/record"
	"hilrig/reports/html"
	"hilrig/reports/junit"
)

// renderers are the reports of a run, the best to look at last.
var renderers = []struct {
	file   string
	render func(w io.Writer, dir string, r *record.Record, strict bool) error
}{
	{"junit.xml", func(w io.Writer, dir string, r *record.Record, strict bool) error {
		return junit.Write(w, r, junit.Options{Strict: strict, RunDir: dir})
	}},
	{"report.html", func(w io.Writer, dir string, r *record.Record, _ bool) error {
		return html.Write(w, r, dir)
	}},
}

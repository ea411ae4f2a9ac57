package cli

import (
	"bytes"

	"hilrig/record"
	"hilrig/reports/html"
	"hilrig/reports/junit"
)

// renderers are the reports of a run, the best to look at last.
var renderers = []struct {
	file   string
	render func(dir string, r *record.Record, strict bool) ([]byte, error)
}{
	{"junit.xml", func(dir string, r *record.Record, strict bool) ([]byte, error) {
		var b bytes.Buffer
		err := junit.Write(&b, r, junit.Options{Strict: strict, RunDir: dir})
		return b.Bytes(), err
	}},
	{"report.html", func(dir string, r *record.Record, _ bool) ([]byte, error) {
		var b bytes.Buffer
		err := html.Write(&b, r, dir)
		return b.Bytes(), err
	}},
}

package cli

import "hilrig/record"

// renderers are the reports of a run, the best to look at last.
var renderers = []struct {
	file   string
	render func(dir string, r *record.Record, strict bool) ([]byte, error)
}{}

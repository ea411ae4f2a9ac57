package past

import (
	"net/url"
	"path/filepath"

	"hilrig/record"
	"hilrig/reports/html"
)

// Reports finds the report of a run as a page in a folder links to it; each
// folder is looked for once.
func Reports(folder string) func(dir string) html.Ref {
	base, baseErr := filepath.Abs(folder)
	known := map[string]html.Ref{}
	return func(dir string) html.Ref {
		ref, ok := known[dir]
		if ok {
			return ref
		}
		if report := filepath.Join(dir, "report.html"); record.There(report) {
			if rel, err := filepath.Rel(base, report); err == nil && baseErr == nil {
				ref = html.Ref((&url.URL{Path: filepath.ToSlash(rel)}).String()) //nolint:gosec // a path of ours, escaped
			}
		}
		known[dir] = ref
		return ref
	}
}

package html

import (
	"net/url"
	"os"
	"path/filepath"

	"hilrig/record"
)

// link leads to a file of the run folder, beside which the page lies.
type link struct {
	Name, Href string
}

// links are those to the files that there are.
func links(runDir string, devices []record.DeviceRecord) (of map[string][]link, run []link) {
	of = map[string][]link{}
	if runDir == "" {
		return of, nil
	}
	there := func(names ...string) (found []link) {
		for _, name := range names {
			if st, err := os.Stat(filepath.Join(runDir, filepath.FromSlash(name))); err == nil && st.Mode().IsRegular() {
				found = append(found, link{label(name), (&url.URL{Path: name}).EscapedPath()})
			}
		}
		return found
	}
	for _, d := range devices {
		dir := "devices/" + d.Name + "/"
		of[d.Name] = there(dir+"transcript.log", dir+"timeline.jsonl")
	}
	return of, there(record.RecordFile, record.EventsFile, "junit.xml")
}

// label is a file's name as a reader needs it.
func label(name string) string {
	switch base := filepath.Base(name); base {
	case "transcript.log":
		return "transcript"
	case "timeline.jsonl":
		return "timeline"
	default:
		return base
	}
}

package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"hilrig/record"
)

//go:embed *.schema.json
var files embed.FS

// Names are the formats that have a schema here.
func Names() []string {
	var names []string
	all, _ := fs.Glob(files, "*.schema.json") // the pattern is ours
	for _, f := range all {
		names = append(names, strings.TrimSuffix(f, ".schema.json"))
	}
	return names
}

// Of is the schema of a format; an unknown name is a usage failure.
func Of(name string) ([]byte, error) {
	b, err := files.ReadFile(name + ".schema.json")
	if err != nil {
		return nil, record.NewFailure(record.Usage, "find schema", name, fmt.Errorf("there are %s", strings.Join(Names(), ", ")))
	}
	return b, nil
}

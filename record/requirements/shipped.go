package requirements

import (
	"embed"
	"maps"
	"slices"
)

//go:embed guide.yaml device-advisor.yaml
var files embed.FS

var shipped = map[string]string{"guide": "guide.yaml", "device-advisor": "device-advisor.yaml"}

// Names are those of the lists that come with this binary.
func Names() []string { return slices.Sorted(maps.Keys(shipped)) }

// Shipped is the text of a list that comes with this binary; false: there is
// none of that name.
func Shipped(name string) ([]byte, bool) {
	file, ok := shipped[name]
	if !ok {
		return nil, false
	}
	text, err := files.ReadFile(file)
	return text, err == nil
}

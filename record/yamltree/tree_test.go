package yamltree_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/parser"

	"hilrig/record/yamltree"
)

// Where a person looks for a value, and for one that is not there.
func TestPlacesOfValues(t *testing.T) {
	const text = "a: 1\nlist:\n  - x\n  - {b: 2,\n    \"c\": 3}\n  - !t {d: 4}\n"
	f, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		where        string
		line, column int
	}{
		{"a", 1, 4},
		{"list/0", 3, 5},
		{"list/1", 4, 5},
		{"list/1/b", 4, 9},
		{"list/1/c", 5, 10},
		{"list/1/none", 4, 5},
		{"list/2/d", 6, 0}, // behind a tag the library counts a column too few
		{"list/7", 3, 3},
		{"none/at/all", 1, 1},
	} {
		at := yamltree.Token(yamltree.Nearest(f.Docs[0].Body, strings.Split(c.where, "/")))
		if at == nil || at.Position.Line != c.line || c.column > 0 && at.Position.Column != c.column {
			t.Errorf("%s: %+v, want %d:%d", c.where, at, c.line, c.column)
		}
	}
}

package requirements

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hilrig/record"
	"hilrig/record/wording"
	"hilrig/record/yamltree"
)

//go:embed requirements.schema.json
var schema []byte

// Schema is the JSON schema of a file of requirements (draft 2020-12).
func Schema() []byte { return bytes.Clone(schema) }

// Spec is what the catalogue says of a spec.
type Spec struct {
	ID     string
	Labels []string
}

// Matches reports whether a pattern takes a spec: an id, area/*, * or label:NAME.
func (s Spec) Matches(pattern string) bool {
	if label, ok := strings.CutPrefix(pattern, "label:"); ok {
		return slices.Contains(s.Labels, label)
	}
	area, all := strings.CutSuffix(pattern, "*")
	return pattern == s.ID || all && strings.HasPrefix(s.ID, area)
}

// List is a list of requirements, each with its specs.
type List struct {
	Name   string
	Source string
	SHA256 string // of the file
	All    []Requirement

	of map[string][]string // requirements of a spec
}

// Requirement is one of a list.
type Requirement struct {
	ID      string
	Text    string
	Because string
	Specs   []string // ids, in the catalogue's order; none: it is not covered
}

// Of are the ids of the requirements that a spec shows. A nil list has none.
func (l *List) Of(spec string) []string {
	if l == nil {
		return nil
	}
	return l.of[spec]
}

// Read reads and checks a list against the catalogue; every error is a usage
// failure.
func Read(path string, data []byte, catalogue []Spec) (*List, error) {
	var f struct {
		Name   string `yaml:"requirements"`
		Source string `yaml:"source"`
		List   []struct {
			ID      string   `yaml:"id"`
			Text    string   `yaml:"text"`
			Specs   []string `yaml:"specs"`
			Because string   `yaml:"because"`
		} `yaml:"list"`
	}
	tree, err := yamltree.ReadStrict("requirements", path, data, schema, &f)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	l := &List{Name: record.Plain(f.Name), Source: record.Plain(wording.OneLine(f.Source)), SHA256: hex.EncodeToString(sum[:]), of: map[string][]string{}}
	var errs []error
	first := map[string]int{}
	for i, r := range f.List {
		at := func(where ...string) int {
			return yamltree.Line(tree, append([]string{"list", fmt.Sprint(i)}, where...)...)
		}
		if line, twice := first[r.ID]; twice {
			errs = append(errs, fmt.Errorf("line %d: requirement %s stands on line %d already", at("id"), r.ID, line))
		}
		first[r.ID] = at("id")
		one := Requirement{ID: record.Plain(r.ID), Text: record.Plain(wording.OneLine(r.Text)), Because: record.Plain(wording.OneLine(r.Because))}
		for n, pattern := range r.Specs {
			if !slices.ContainsFunc(catalogue, func(s Spec) bool { return s.Matches(pattern) }) {
				errs = append(errs, fmt.Errorf("line %d: requirement %s: no spec of the catalogue is %s%s", at("specs", fmt.Sprint(n)), r.ID, pattern, meant(pattern, catalogue)))
			}
		}
		for _, s := range catalogue {
			if slices.ContainsFunc(r.Specs, s.Matches) {
				one.Specs = append(one.Specs, s.ID)
				l.of[s.ID] = append(l.of[s.ID], one.ID)
			}
		}
		l.All = append(l.All, one)
	}
	if len(errs) > 0 {
		return nil, record.NewFailure(record.Usage, "read requirements", path, errors.Join(errs...)).WithCure("hilrig list shows the specs")
	}
	return l, nil
}

// meant names the spec that was perhaps meant.
func meant(pattern string, catalogue []Spec) string {
	var known []string
	for _, s := range catalogue {
		known = append(known, s.ID)
	}
	if near := wording.DidYouMean(pattern, known); near != "" {
		return ", " + near
	}
	return ""
}

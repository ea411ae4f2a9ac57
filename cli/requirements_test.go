package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"hilrig/cli/verb"
	"hilrig/record/requirements"
	"hilrig/suites"
)

// The lists that come with the binary name specs that there are, fit their own
// schema, and say why what is not covered is not.
func TestTheShippedListsFitTheCatalogue(t *testing.T) {
	a := &app{App: &verb.App{Catalogue: suites.All()}}
	s, err := compile("requirements")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range requirements.Names() {
		text, _ := requirements.Shipped(name)
		l, err := requirements.Read(name, text, a.Known())
		if err != nil {
			t.Error(err)
			continue
		}
		if l.Name != name {
			t.Errorf("%s is called %s", name, l.Name)
		}
		for _, r := range l.All {
			if r.Text == "" || len(r.Specs) == 0 && r.Because == "" {
				t.Errorf("%s %s: no text, or no reason why nothing shows it", name, r.ID)
			}
		}
		asJSON, err := yaml.YAMLToJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A list that is not there, or is not understood, is said before anything runs.
func TestABrokenListOfRequirementsTouchesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wrong.yaml", []byte("requirements: ours\nlist: [{id: A, specs: [tls/expird]}]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "--requirements", "guid"}, {"run", "--json", "--annotations"},
		{"run", "--dry-run", "--requirements", "guid"}, {"run", "--dry-run", "--requirements", "wrong.yaml"}, {"report", "latest", "--requirements", "wrong.yaml"},
		{"run", "--dry-run", "--json", "--requirements", "wrong.yaml"}, {"run", "--dry-run", "--junit-root", "elsewhere"},
	} {
		var out, errs bytes.Buffer
		if code := Main(args, nil, &out, &errs); code != 2 || out.Len() > 0 {
			t.Errorf("%s: %d, %s%s", strings.Join(args, " "), code, &out, &errs)
		}
	}
}

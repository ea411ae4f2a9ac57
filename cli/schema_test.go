package cli

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What the verbs print for scripts is what their schemas say.
func TestOutputFitsItsSchema(t *testing.T) {
	for _, c := range []struct {
		format string
		lines  bool // one document a line
		args   []string
	}{
		{"list", false, []string{"list", "--json"}},
		{"event", true, []string{"run", "--dry-run", "--json", "--label-filter", "smoke"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			s, err := compile(c.format)
			if err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			if code := Main(c.args, nil, &out, &errs); code != 0 {
				t.Fatalf("%d: %s", code, &errs)
			}
			for _, err := range misfits(s, out.Bytes(), c.lines) {
				t.Error(err)
			}
		})
	}
}

// misfits are the documents in data, one or one a line, that a schema refuses.
func misfits(s *jsonschema.Schema, data []byte, lines bool) (errs []error) {
	docs := [][]byte{data}
	if lines {
		docs = bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	}
	for _, doc := range docs {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%.300s: %w", doc, err))
		}
	}
	return errs
}

// compile makes a validator of the schema that the verb prints.
func compile(format string) (*jsonschema.Schema, error) {
	var out, errs bytes.Buffer
	if code := Main([]string{"schema", format}, nil, &out, &errs); code != 0 {
		return nil, fmt.Errorf("exit code %d: %s", code, &errs)
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(format, doc); err != nil {
		return nil, err
	}
	return c.Compile(format)
}

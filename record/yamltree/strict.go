package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"hilrig/record"
	"hilrig/record/wording"
)

// Largest is the most bytes of a file that [ReadStrict] reads.
const Largest = 256 << 10

// ReadStrict reads a YAML file that its schema describes into v, and gives its
// tree, for places in it. What does not fit is a usage failure that says the
// line.
func ReadStrict(what, path string, data, schema []byte, v any) (ast.Node, error) {
	fail := func(err error) (ast.Node, error) {
		return nil, record.NewFailure(record.Usage, "read "+what, path, err)
	}
	if len(data) > Largest {
		return fail(fmt.Errorf("%d bytes; it has at most %d", len(data), Largest))
	}
	if coding := wording.UTF16(data); coding != "" {
		return fail(fmt.Errorf("it is %s; save it as UTF-8", coding))
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors of Windows begin a file with it
	if !utf8.Valid(data) {
		return fail(errors.New("it is not UTF-8"))
	}
	tokens := lexer.Tokenize(string(data))
	if t := TooDeep(tokens); t != nil {
		return fail(fmt.Errorf("line %d: more than %d levels deep", t.Position.Line, Deepest))
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		return fail(firstLine(err))
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return fail(errors.New("it must hold one YAML document"))
	}
	body := f.Docs[0].Body
	for _, t := range []ast.NodeType{ast.AnchorType, ast.AliasType, ast.MergeKeyType} {
		if found := ast.Filter(t, body); len(found) > 0 {
			return fail(fmt.Errorf("line %d: anchors and aliases are not taken here", lineOf(found[0].GetToken())))
		}
	}
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return fail(firstLine(err))
	}
	if err := fits(schema, value, body); err != nil {
		return fail(err)
	}
	if err := yaml.UnmarshalWithOptions(data, v, yaml.Strict()); err != nil {
		return fail(firstLine(err))
	}
	return body, nil
}

func firstLine(err error) error {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(s)
}

// fits says every difference between a value and its schema.
func fits(schema []byte, value any, body ast.Node) error {
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("read the embedded schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", text); err != nil {
		return fmt.Errorf("read the embedded schema: %w", err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		return fmt.Errorf("read the embedded schema: %w", err)
	}
	err = s.Validate(value)
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return err
	}
	var problems []string
	collect(v, body, s, &problems)
	slices.Sort(problems)
	return errors.New(strings.Join(slices.Compact(problems), "; "))
}

// collect walks an error's tree down to what is really wrong.
func collect(v *jsonschema.ValidationError, body ast.Node, s *jsonschema.Schema, out *[]string) {
	say := func(text string) { *out = append(*out, place(body, v.InstanceLocation, "")+text) }
	switch k := v.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := knownKeys(s, v.InstanceLocation)
		for _, key := range k.Properties {
			text := "unknown key " + key
			if near := wording.DidYouMean(key, known); near != "" {
				text += ", " + near
			}
			*out = append(*out, place(body, v.InstanceLocation, key)+text)
		}
		return
	case *kind.Required:
		say("lacks " + strings.Join(k.Missing, ", "))
		return
	case *kind.ExclusiveMinimum:
		say(fmt.Sprintf("got %s, want more than %s", number(k.Got), number(k.Want)))
		return
	case *kind.ExclusiveMaximum:
		say(fmt.Sprintf("got %s, want less than %s", number(k.Got), number(k.Want)))
		return
	case *kind.InvalidJsonValue:
		say("is no number that can be counted with")
		return
	case *kind.OneOf:
		say("names a board or a type, one of the two")
		return
	}
	if len(v.Causes) == 0 {
		say(v.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
	for _, c := range v.Causes {
		collect(c, body, s, out)
	}
}

func number(v *big.Rat) string {
	f, _ := v.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// knownKeys are the keys that a mapping may have.
func knownKeys(s *jsonschema.Schema, where []string) []string {
	for _, part := range where {
		for s.Ref != nil {
			s = s.Ref
		}
		next := s.Properties[part]
		if next == nil {
			next = s.Items2020
		}
		if next == nil {
			next, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
		if next == nil {
			return nil
		}
		s = next
	}
	return slices.Sorted(maps.Keys(s.Properties))
}

// place is where a value stands, or a key of it: its line and its keys.
func place(body ast.Node, where []string, key string) string {
	n := Nearest(body, where)
	t := Token(n)
	for _, p := range Pairs(n) {
		if Key(p) == key {
			t = p.Key.GetToken()
		}
	}
	line := lineOf(t)
	if len(where) == 0 {
		return fmt.Sprintf("line %d: ", line)
	}
	return fmt.Sprintf("line %d: %s: ", line, strings.Join(where, "."))
}

// Line is where a value stands, or the nearest one above it that is there.
func Line(n ast.Node, where ...string) int { return lineOf(Token(Nearest(n, where))) }

func lineOf(t *token.Token) int {
	if t == nil || t.Position == nil {
		return 1
	}
	return t.Position.Line
}

package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// expectations say what encoding/json would have taken where it says, in words
// only, what it was looking for.
var expectations = []struct{ said, expected string }{
	{"after object key:value pair", "a comma or }"},
	{"after object key", "a colon"},
	{"looking for beginning of object key string", "a name in quotes"},
	{"looking for beginning of value", "a value"},
	{"after array element", "a comma or ]"},
	{"after top-level value", "the end of the file"},
	{"in string escape code", "an escape code"},
	{"in string literal", "a character that a text may hold"},
	{"in numeric literal", "a digit"},
	{"in literal", "true, false or null"},
}

// damage says where a JSON text is damaged and what was expected there; lines
// and columns (in bytes) count from 1.
func damage(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the file is empty")
	case endsEarly(data):
		return fmt.Errorf("%s: the file ends in the middle; more was expected", place(data, len(data)))
	case errors.As(err, &syntax):
		at := max(int(syntax.Offset)-1, 0)
		expected := "JSON"
		for _, e := range expectations {
			if strings.Contains(syntax.Error(), e.said) {
				expected = e.expected
				break
			}
		}
		return fmt.Errorf("%s: expected %s, found %q", place(data, at), expected, data[at:min(at+1, len(data))])
	case errors.As(err, &kind):
		return fmt.Errorf("%s: %s: expected %s, found a %s", place(data, max(int(kind.Offset)-1, 0)), kind.Field, jsonKind(kind.Type.Kind().String()), kind.Value)
	}
	return err
}

// endsEarly reports whether a text is the beginning of a JSON text, and no more.
func endsEarly(data []byte) bool {
	var v json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(data)).Decode(&v), io.ErrUnexpectedEOF)
}

func place(data []byte, at int) string {
	before := data[:min(at, len(data))]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'))
}

// jsonKind is a kind of Go in JSON's words.
func jsonKind(k string) string {
	switch {
	case k == "string":
		return "a text"
	case k == "bool":
		return "true or false"
	case k == "slice" || k == "array":
		return "a list"
	case k == "struct" || k == "map":
		return "an object"
	}
	return "a number"
}

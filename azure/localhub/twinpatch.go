package localhub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
)

// Bounds of a twin's section (Azure: "Understand and use device twins").
const (
	maxSection = 32 << 10 // bytes of a section
	maxDepth   = 10       // objects within objects
)

const versionKey = "$version"

// section is the desired or the reported half of a twin. Its values are never
// changed, only replaced.
type section struct {
	values  map[string]any
	version int
}

// patched is s with a patch merged into it (RFC 7396), and what a device is
// told of the patch: the patch itself with the new version. Errors are a
// [Refusal].
func (s section) patched(patch []byte) (next section, told []byte, err error) {
	p, err := readPatch(patch)
	if err != nil {
		return s, nil, err
	}
	next = section{values: merge(s.values, p), version: s.version + 1}
	if size := len(encode(next.values)); size > maxSection {
		return s, nil, tooLarge("a section of %d bytes; IoT Hub keeps %d", size, maxSection)
	}
	return next, section{p, next.version}.json(), nil
}

// json is the section as GET gives it.
func (s section) json() json.RawMessage {
	all := maps.Clone(s.values)
	if all == nil {
		all = map[string]any{}
	}
	all[versionKey] = s.version
	return encode(all)
}

func encode(values map[string]any) []byte {
	data, err := json.Marshal(values)
	if err != nil {
		return []byte("{}") // cannot be: it came out of JSON
	}
	return data
}

// readPatch reads a JSON object. A $version in it is a reader's copy of what it
// was given and counts for nothing.
func readPatch(patch []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(patch))
	d.UseNumber()
	var p map[string]any
	if err := d.Decode(&p); err != nil {
		return nil, invalid("no JSON object: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("more behind the JSON object")
	}
	if p == nil {
		return nil, invalid("null is no JSON object")
	}
	delete(p, versionKey)
	return p, checkNames(p, 1)
}

func checkNames(values map[string]any, depth int) error {
	if depth > maxDepth {
		return invalid("more than %d objects within each other", maxDepth)
	}
	for name, v := range values {
		if strings.ContainsAny(name, ".$ ") {
			return invalid("property %q: a name must not hold a dot, a dollar or a blank", name)
		}
		if sub, ok := v.(map[string]any); ok {
			if err := checkNames(sub, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge is MergePatch of RFC 7396, on objects; it changes neither.
func merge(target, patch map[string]any) map[string]any {
	out := maps.Clone(target)
	if out == nil {
		out = map[string]any{}
	}
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(out, name)
		case map[string]any:
			old, _ := out[name].(map[string]any)
			out[name] = merge(old, v)
		default:
			out[name] = v
		}
	}
	return out
}

package localhub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"hilrig/azure"
)

// The names that are IoT Hub's own in a section.
const (
	versionKey  = "$version"
	metadataKey = "$metadata"
)

// section is the desired or the reported half of a twin. Its values are never
// changed, only replaced.
type section struct {
	values  map[string]any
	version int
	changed *changed
}

// changed says when an object or a value was changed last, and in which version
// of the section (Azure: "Device twin metadata").
type changed struct {
	at      time.Time
	version int // 0: never since it was made
	of      map[string]*changed
}

func newSection(now time.Time) section {
	return section{version: 1, changed: &changed{at: now}}
}

// patched is s with a patch merged into it (RFC 7396) or in its place, and what
// a device is told of it: the patch itself with the new version. Errors are a
// [Refusal].
func (s section) patched(patch []byte, replace bool, now time.Time) (next section, told []byte, err error) {
	p, err := readPatch(patch)
	if err != nil {
		return s, nil, err
	}
	old := s
	if replace {
		old = section{changed: &changed{}}
	}
	next = section{values: merge(old.values, p), version: s.version + 1}
	next.changed = old.changed.merged(p, now, next.version)
	if err := grows("a section", s.values, next.values, azure.MaxTwinProperties); err != nil {
		return s, nil, err
	}
	return next, section{values: p, version: next.version}.json(), nil
}

// patchedTags is tags with a patch merged into them, or in their place.
func patchedTags(tags map[string]any, patch []byte, replace bool) (map[string]any, error) {
	p, err := readPatch(patch)
	if err != nil {
		return nil, err
	}
	if replace {
		return merge(nil, p), grows("tags", tags, merge(nil, p), azure.MaxTwinTags)
	}
	next := merge(tags, p)
	return next, grows("tags", tags, next, azure.MaxTwinTags)
}

// grows refuses what makes a part larger than IoT Hub keeps; what makes a part
// smaller is taken ("rejects operations that would increase the size").
func grows(what string, old, next map[string]any, most int) error {
	size := azure.TwinSize(next)
	if size <= most || size <= azure.TwinSize(old) {
		return nil
	}
	return tooLarge("%s of %d bytes, as IoT Hub counts them; it keeps %d", what, size, most)
}

// merged is c after a patch. It changes nothing that c has.
func (c *changed) merged(patch map[string]any, now time.Time, version int) *changed {
	next := &changed{at: now, version: version}
	if c != nil {
		next.of = maps.Clone(c.of)
	}
	if next.of == nil {
		next.of = map[string]*changed{}
	}
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(next.of, name)
		case map[string]any:
			next.of[name] = next.of[name].merged(v, now, version)
		default:
			next.of[name] = &changed{at: now, version: version}
		}
	}
	return next
}

// json is the section as a device gets it. The version is its last name: there
// are clients that read no further (azure-sdk-for-c, paho_iot_hub_twin_sample).
func (s section) json() json.RawMessage {
	return encode(s.values, member{versionKey, encodeValue(s.version)})
}

// full is the section as the service gets it. Versions stand in the metadata of
// desired properties only, as recorded of the real hub.
func (s section) full(versions bool) json.RawMessage {
	return encode(s.values, member{metadataKey, s.changed.json(versions)}, member{versionKey, encodeValue(s.version)})
}

func (c *changed) json(versions bool) json.RawMessage {
	members := []member{{"$lastUpdated", encodeValue(c.at.UTC().Truncate(100 * time.Nanosecond).Format(time.RFC3339Nano))}}
	if versions && c.version > 0 {
		members = append(members, member{"$lastUpdatedVersion", encodeValue(c.version)})
	}
	for _, name := range slices.Sorted(maps.Keys(c.of)) {
		members = append(members, member{name, c.of[name].json(versions)})
	}
	return encode(nil, members...)
}

// member is a name with its value, which is JSON already.
type member struct {
	name  string
	value json.RawMessage
}

// encode is an object: values in the order of their names, behind them what the
// hub adds.
func encode(values map[string]any, added ...member) json.RawMessage {
	b := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		b = appendMember(b, name, encodeValue(values[name]))
	}
	for _, m := range added {
		b = appendMember(b, m.name, m.value)
	}
	return append(b, '}')
}

func appendMember(b []byte, name string, value json.RawMessage) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = append(append(b, encodeValue(name)...), ':')
	return append(b, value...)
}

// encodeValue is JSON without the escapes that HTML needs: firmware reads it.
func encodeValue(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return json.RawMessage("null") // cannot be: it came out of JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// readPatch reads a JSON object. A $version and a $metadata in it are a reader's
// copy of what it was given and count for nothing.
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
	delete(p, metadataKey)
	if err := azure.CheckTwin(p); err != nil {
		return nil, invalid("%s", strings.TrimPrefix(err.Error(), fmt.Sprint(azure.ErrTwin, ": ")))
	}
	return p, nil
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

package schema_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"hilrig/record"
	"hilrig/reports/schema"
	"hilrig/reports/seal"
)

func validate(t *testing.T, name string, v any) error {
	t.Helper()
	text, err := schema.Of(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

func TestRealValuesAreValid(t *testing.T) {
	now := time.Now()
	r := record.Record{
		Schema: record.Schema,
		Run:    record.Run{ID: "20261122T231501Z-7f3a", Rig: "r", Started: now, Hub: "local", Verdict: record.NotRun},
		Devices: []record.DeviceRecord{{Name: "a", Verdict: record.Fail, DeviceFacts: record.DeviceFacts{Hub: record.Hub{Name: "mosq", Kind: "broker"},
			Running: record.Running{Version: "2.1", Known: record.Asked}, Hardware: record.Hardware{Serial: "A50285BI", Known: record.OfAdapter}}, Specs: []record.SpecResult{{
			ID: "tls/version", Verdict: record.Fail, Class: record.ClassDevice, Started: now,
			Attempts:     []record.Attempt{{Started: now, Verdict: record.Fail}},
			Measurements: []record.Measurement{record.Measurement{Name: "m", Value: 1}.Judge()},
		}}}},
	}
	if err := validate(t, "record", r); err != nil {
		t.Errorf("record: %v", err)
	}
	e := record.ClockAt(now).Stamp(now, record.Event{Source: record.SourceSpec, Kind: record.KindSpecFinished, Data: record.MustData(r.Devices[0].Specs[0])})
	if err := validate(t, "event", e); err != nil {
		t.Errorf("event: %v", err)
	}
	files := map[string]string{record.RecordFile: strings.Repeat("a", 64)}
	if err := validate(t, "pruned", record.Pruned{Schema: 1, Files: files}); err != nil {
		t.Errorf("pruned: %v", err)
	}
	if err := validate(t, "seal", seal.Seal{Schema: 1, Run: r.Run.ID, Hilrig: "devel", Sealed: now, Files: files}); err != nil {
		t.Errorf("seal: %v", err)
	}
}

func TestWrongValuesAreNot(t *testing.T) {
	if validate(t, "record", record.Record{Schema: 2}) == nil {
		t.Error("a record of another schema is valid")
	}
	if validate(t, "event", map[string]any{"at": "soon"}) == nil {
		t.Error("an event without its fields is valid")
	}
	if validate(t, "list", []any{map[string]any{"id": "no slash"}}) == nil {
		t.Error("a list of nonsense is valid")
	}
	for what, v := range map[string]any{
		"pruned": record.Pruned{Schema: 1, Files: map[string]string{"events.jsonl": "short"}},
		"seal":   seal.Seal{Schema: 1, Run: "r", Files: map[string]string{"events.jsonl": strings.Repeat("a", 64)}}, // no record
	} {
		if validate(t, what, v) == nil {
			t.Errorf("%s: %v is valid", what, v)
		}
	}
	if _, err := schema.Of("nonsense"); record.ClassOf(err) != record.Usage {
		t.Errorf("unknown schema: %v", err)
	}
}

package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

// uncommented is a draft with all that it offers.
func uncommented(draft string) string {
	var b strings.Builder
	for line := range strings.Lines(draft) {
		b.WriteString(strings.TrimPrefix(line, "#: "))
	}
	return b.String()
}

// A drafted policy is one that the gate takes, whatever the run was like, also
// with all that it offers; the run that it is made of keeps it.
func TestADraftIsAPolicyThatItsRunKeeps(t *testing.T) {
	low, high, lists := 0.1, 2.0, t.TempDir()
	if err := os.WriteFile(filepath.Join(lists, "list.yaml"), []byte("requirements: l\nlist: [{id: A, specs: ['tls/*']}]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		run    string
		change func(*record.Record)
		holds  []string // lines of the draft
	}{
		{"as it should be", func(*record.Record) {}, []string{
			`policy: "bench-release"`, `  - {type: "ads300", at_least: 2}`, `hubs: ["local", "lab"]`, `required: ["tls/*", "session/*"]`,
			`#: baseline: {missing: warn}`,
		}},
		{"with measurements", func(r *record.Record) {
			for i := range r.Devices {
				r.Devices[i].Specs[0].Measurements = []record.Measurement{
					{Name: "handshake, \"full\"", Value: 0.123456789 + float64(i), Unit: "s"}, {Name: "of two bounds", Value: 1, Unit: "", Low: &low, High: &high}, {Name: "cold", Value: -1e21 * float64(1+i), Unit: "K"}, {Name: "far", Value: 1e20, Unit: "m"},
				}
			}
		}, []string{
			`#:   - {spec: "tls/version", name: "handshake, \"full\"", unit: "s", max: 3.123456789} # 4 values, the least 0.123456789`,
			`#:   - {spec: "tls/version", name: "of two bounds", unit: "", min: 0.1, max: 2} # 4 values, 1 to 1`,
			`#:   - {spec: "tls/version", name: "cold", unit: "K", max: -1.0e+21} # 4 values, the least -4.0e+21`,
		}},
		{"with a measurement that one board lacks", func(r *record.Record) {
			r.Devices[0].Specs[0].Measurements = []record.Measurement{{Name: "handshake", Value: 1, Unit: "s"}}
		}, nil},
		{"asked for somebody's own requirements", func(r *record.Record) { r.Run.Arguments = []string{"run", "--requirements", "list.yaml"} }, []string{`#: requirements: {list: "list.yaml"}`}},
		{"of a spec that does not apply at one hub", func(r *record.Record) {
			for _, i := range []int{1, 3} {
				s := &r.Devices[i].Specs[1]
				s.Verdict, s.Cause = record.NotApplicable, "the hub\nhas its own root"
			}
		}, []string{`  - {spec: "tls/expired", hub: "lab", because: "the hub has its own root"}`}},
		{"of a spec that applies nowhere", func(r *record.Record) {
			for i := range r.Devices {
				r.Devices[i].Specs[1].Verdict, r.Devices[i].Specs[1].Cause = record.NotApplicable, " "
			}
		}, []string{`  - {spec: "tls/expired", because: "it does not apply"}`}},
		{"of names that are none", func(r *record.Record) {
			word := "x\x1b\"'\n- {}#: \u202e\\" + strings.Repeat("ü", 200)
			r.Run.ID, r.Run.Rig = word, word
			for i := range r.Devices {
				d := &r.Devices[i]
				d.Type, d.Hub.Name, d.Specs[0].Measurements = word, word, []record.Measurement{{Name: word, Unit: word}}
			}
		}, nil},
		{"of a rig without a name, and hubs of an older hilrig", func(r *record.Record) {
			r.Run.Rig = ""
			for i := range r.Devices {
				r.Devices[i].Hub = record.Hub{}
			}
		}, []string{`policy: "rig-release"`}},
	} {
		t.Run(c.run, func(t *testing.T) {
			r := runOf("20261127T100000Z-0001", now.Add(-2*60*60*1e9))
			c.change(r.Record)
			text, err := Draft(r.Record, catalogue)
			if err != nil {
				t.Fatal(err)
			}
			draft := string(text)
			for _, line := range c.holds {
				if !strings.Contains(draft, "\n"+line) {
					t.Errorf("no line %s in\n%s", line, draft)
				}
			}
			judged := func(text string) *Verdict {
				p, err := ReadPolicy(filepath.Join(lists, "gate.yaml"), []byte(text), catalogue)
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				return Judge(Question{Policy: p, Runs: []Run{r}, Catalogue: catalogue, Now: now, Version: "v1.1.0"})
			}
			if v := judged(draft); v.Verdict != Pass {
				t.Errorf("%s\n%s", notKept(v), draft)
			}
			if v := judged(uncommented(draft)); v.Verdict != Pass {
				t.Errorf("with all that is offered: %s\n%s", notKept(v), uncommented(draft))
			}
		})
	}
}

func notKept(v *Verdict) (text string) {
	for _, r := range v.Rules {
		if r.Verdict != Pass {
			text += r.Name + ": " + r.Text + "\n" + strings.Join(r.Details, "\n") + "\n"
		}
	}
	return text
}

// Of a run that nobody can be asked to repeat there is no draft.
func TestARunThatAskedNothingHasNoDraft(t *testing.T) {
	for what, change := range map[string]func(*record.Record){
		"no device": func(r *record.Record) { r.Devices = nil },
		"no type":   func(r *record.Record) { r.Devices = r.Devices[:1]; r.Devices[0].Type = "" },
		"specs that are no longer": func(r *record.Record) {
			r.Devices = r.Devices[:1]
			r.Devices[0].Specs = []record.SpecResult{{ID: "old/spec"}}
		},
	} {
		r := runOf("20261127T100000Z-0001", now).Record
		change(r)
		if text, err := Draft(r, catalogue); record.ClassOf(err) != record.Usage || text != nil {
			t.Errorf("%s: %v\n%s", what, err, text)
		}
	}
}

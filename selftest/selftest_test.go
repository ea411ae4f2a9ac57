package selftest_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"hilrig/fixtures"
	"hilrig/hw/emulator"
	"hilrig/record"
	"hilrig/selftest"
)

var fault = emulator.Fault{Name: "no-sni", Doc: "d", CaughtBy: []string{"tls/server-name", "tls/wrong-name"}, Words: []string{"server name"}}

func result(id string, v record.Verdict, c record.Class, message string) record.SpecResult {
	return diagnosed(record.SpecResult{ID: id, Verdict: v, Class: c, Message: message})
}

func diagnosed(r record.SpecResult) record.SpecResult {
	r.Expected, r.Seen, r.Why, r.Look, r.At = "e", "s", "w", "l", 12.31
	return r
}

func TestAFaultIsCaughtOnlyInWordsThatNameIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		specs []record.SpecResult
		want  record.Verdict
	}{
		{"red by the device, named", []record.SpecResult{result("tls/server-name", record.Fail, record.ClassDevice, "no server name")}, record.Pass},
		{"a warning, named", []record.SpecResult{diagnosed(record.SpecResult{ID: "tls/server-name", Verdict: record.Warn, Warnings: []string{"no server name"}})}, record.Pass},
		{"one of two", []record.SpecResult{result("tls/server-name", record.Fail, record.ClassDevice, "no server name"), result("tls/wrong-name", record.Pass, "", "")}, record.Pass},
		{"red in other words", []record.SpecResult{result("tls/server-name", record.Fail, record.ClassDevice, "no session")}, record.Fail},
		{"green", []record.SpecResult{result("tls/server-name", record.Pass, "", "")}, record.Fail},
		{"the rig's trouble", []record.SpecResult{result("tls/server-name", record.Error, record.RigPort, "server name")}, record.NotRun},
		{"red by the rig", []record.SpecResult{result("tls/server-name", record.Fail, record.RigHub, "server name")}, record.Fail},
		{"another spec only", []record.SpecResult{result("session/protocol", record.Fail, record.ClassDevice, "server name")}, record.NotRun},
		{"not run", []record.SpecResult{result("tls/server-name", record.NotRun, "", "")}, record.NotRun},
		{"nothing", nil, record.NotRun},
	} {
		row := selftest.JudgeFault(fault, c.specs)
		if row.Verdict != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, row.Verdict, row.Missing, c.want)
		}
		if (row.Verdict == record.Pass) != (row.Missing == "") {
			t.Errorf("%s: verdict %s and %q", c.name, row.Verdict, row.Missing)
		}
	}
}

// A red that leaves a person without a next step is as good as none.
func TestARedWithoutADiagnosisIsNoCatch(t *testing.T) {
	for what, forget := range map[string]func(*record.SpecResult){
		"expected": func(r *record.SpecResult) { r.Expected = "" }, "seen": func(r *record.SpecResult) { r.Seen = "" },
		"why": func(r *record.SpecResult) { r.Why = "" }, "look": func(r *record.SpecResult) { r.Look = "" },
		"timeline": func(r *record.SpecResult) { r.At = 0 },
	} {
		r := result("tls/server-name", record.Fail, record.ClassDevice, "no server name")
		forget(&r)
		if row := selftest.JudgeFault(fault, []record.SpecResult{r}); row.Verdict != record.Fail || !strings.Contains(row.Missing, what) {
			t.Errorf("without %s: %s (%s)", what, row.Verdict, row.Missing)
		}
	}
}

func TestCollateralIsRedBeyondTheNamed(t *testing.T) {
	row := selftest.JudgeFault(fault, []record.SpecResult{
		result("tls/server-name", record.Fail, record.ClassDevice, "no server name"),
		result("session/protocol", record.Fail, record.ClassDevice, "x"), result("session/pings", record.Pass, "", ""),
	})
	if len(row.Collateral) != 1 || row.Collateral[0].Spec != "session/protocol" {
		t.Errorf("got %+v", row.Collateral)
	}
}

func TestTheWholeIsJudged(t *testing.T) {
	sound := selftest.Case{Profile: "fast", Specs: []fixtures.Spec{{ID: "tls/server-name"}}}
	sound.Device.Name = "sound"
	faulty := selftest.Case{Fault: &fault, Specs: []fixtures.Spec{{ID: "tls/server-name"}}}
	faulty.Device.Name = "no-sni"
	caught := result("tls/server-name", record.Fail, record.ClassDevice, "no server name")
	for _, c := range []struct {
		name         string
		sound, fault []record.SpecResult
		want         record.Verdict
	}{
		{"all as it should be", []record.SpecResult{result("tls/server-name", record.Pass, "", "")}, []record.SpecResult{caught}, record.Pass},
		{"what does not apply is no alarm", []record.SpecResult{result("tls/server-name", record.NotApplicable, "", "")}, []record.SpecResult{caught}, record.Pass},
		{"a false alarm", []record.SpecResult{caught}, []record.SpecResult{caught}, record.Fail},
		{"a warning on sound firmware", []record.SpecResult{result("tls/server-name", record.Warn, "", "x")}, []record.SpecResult{caught}, record.Fail},
		{"the rig's trouble", []record.SpecResult{result("tls/server-name", record.Error, record.RigHub, "x")}, []record.SpecResult{caught}, record.NotRun},
		{"a missed fault", []record.SpecResult{result("tls/server-name", record.Pass, "", "")}, []record.SpecResult{result("tls/server-name", record.Pass, "", "")}, record.Fail},
		{"no device at all", nil, nil, record.Fail}, // nothing turned the spec red
	} {
		t.Run(c.name, func(t *testing.T) {
			got := selftest.Judge([]selftest.Case{sound, faulty}, &record.Record{Devices: []record.DeviceRecord{
				{Name: "sound", Specs: c.sound}, {Name: "no-sni", Specs: c.fault},
			}})
			if got.Verdict != c.want {
				t.Errorf("got %s, want %s: %+v", got.Verdict, c.want, got)
			}
			whole := selftest.AsRecord(got, record.Run{Ended: time.Now()})
			if green := whole.Run.Verdict == record.Pass; green != (got.Verdict == record.Pass) {
				t.Errorf("as a record: %s", whole.Run.Verdict)
			}
		})
	}
}

func TestCasesAreTheGallery(t *testing.T) {
	specs := []fixtures.Spec{{ID: "tls/server-name"}, {ID: "soak/steady", Labels: []string{"soak"}}}
	for _, c := range []struct {
		name    string
		request selftest.Request
		want    string // devices and how many specs each has
	}{
		{"a fault alone", selftest.Request{Specs: specs, Faults: []string{"no-sni"}}, "no-sni:1"},
		{"a profile alone", selftest.Request{Specs: specs, Profiles: []string{"chatty"}}, "sound-chatty:2"},
		{"a profile held against every spec, but the long ones", selftest.Request{Specs: specs, Profiles: []string{"periodic"}, Full: true}, "sound-periodic:1"},
		{"both", selftest.Request{Specs: specs, Profiles: []string{"fast"}, Faults: []string{"no-sni"}}, "sound-fast:2 no-sni:1"},
		{"every spec, but the long ones", selftest.Request{Specs: specs, Faults: []string{"qos2"}, Full: true}, "qos2:1"},
	} {
		cases, err := selftest.Cases(c.request)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range cases {
			got = append(got, k.Device.Name+":"+string(rune('0'+len(k.Specs))))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
	for _, r := range []selftest.Request{{Specs: specs, Faults: []string{"no-snii"}}, {Specs: specs, Profiles: []string{"quick"}}, {Specs: specs, Faults: []string{"qos2"}}} {
		if _, err := selftest.Cases(r); record.ClassOf(err) != record.Usage {
			t.Errorf("%v: got %v, want a usage error", r.Faults, err)
		}
	}
	all, err := selftest.Cases(selftest.Request{Specs: specs})
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{} // specs of sound firmware, by profile
	want := map[string]int{}
	for _, p := range emulator.Profiles() {
		for _, s := range specs {
			if selftest.HeldAgainst(p, s.ID) {
				want[p.Name]++
			}
		}
	}
	for i, c := range all {
		if c.Fault == nil {
			asked[c.Profile] += len(c.Specs)
			if i > 0 && all[i-1].Fault != nil {
				t.Errorf("%s comes behind faulty firmware", c.Device.Name)
			}
		}
	}
	if asked["fast"] != 2 || !maps.Equal(asked, want) {
		t.Errorf("sound firmware of each profile is asked what it is held against once: got %v, want %v", asked, want)
	}
}

// With --full and specs of one's choice, a fault whose own specs were not asked
// is not missed: it only shows what else it turns.
func TestAFaultWhoseSpecsWereNotAskedIsNotMissed(t *testing.T) {
	other := []fixtures.Spec{{ID: "session/protocol"}}
	c := selftest.Case{Fault: &fault, Specs: other}
	c.Device.Name = fault.Name
	got := selftest.Judge([]selftest.Case{c}, &record.Record{Devices: []record.DeviceRecord{{Name: fault.Name, Specs: []record.SpecResult{result("session/protocol", record.Pass, "", "")}}}})
	if got.Faults[0].Verdict != record.NotApplicable || got.Verdict != record.Pass {
		t.Errorf("fault %s, selftest %s", got.Faults[0].Verdict, got.Verdict)
	}
}

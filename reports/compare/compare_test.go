package compare_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/reports/compare"
)

// results are a device with these specs, each "id=verdict".
func results(name string, specs ...string) record.DeviceRecord {
	d := record.DeviceRecord{Name: name, Type: "ads300"}
	for _, s := range specs {
		id, verdict, _ := strings.Cut(s, "=")
		r := record.SpecResult{ID: id, Verdict: record.Verdict(verdict)}
		if !r.Verdict.Green() {
			r.Message = "because of " + id
		}
		d.Specs = append(d.Specs, r)
	}
	return d
}

func run(id string, devices ...record.DeviceRecord) *record.Record {
	at := time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)
	r := &record.Record{Schema: record.Schema, Run: record.Run{ID: id, Rig: "bench", Started: at, Ended: at.Add(time.Minute)}, Devices: devices}
	r.Conclude()
	return r
}

// told is a comparison in short: what is in each group, as device:spec.
func told(c *compare.Comparison) string {
	var all []string
	for _, g := range c.Groups() {
		for _, ch := range g.Changes {
			all = append(all, fmt.Sprintf("%s %s:%s", g.Title, ch.Device, ch.Spec))
		}
	}
	return strings.Join(all, "; ")
}

func TestWhatChangedBetweenTwoRuns(t *testing.T) {
	for name, c := range map[string]struct {
		before, after   []record.DeviceRecord
		want            string
		worse, unknowns bool
	}{
		"nothing":                      {[]record.DeviceRecord{results("a", "x/1=pass", "x/2=fail")}, []record.DeviceRecord{results("a", "x/1=warn", "x/2=fail")}, "still red a:x/2", false, false},
		"a failure":                    {[]record.DeviceRecord{results("a", "x/1=pass")}, []record.DeviceRecord{results("a", "x/1=fail")}, "newly red a:x/1", true, false},
		"a failure that the rig hid":   {[]record.DeviceRecord{results("a", "x/1=not-run")}, []record.DeviceRecord{results("a", "x/1=fail")}, "newly red a:x/1", true, false},
		"the rig failed":               {[]record.DeviceRecord{results("a", "x/1=pass")}, []record.DeviceRecord{results("a", "x/1=error")}, "newly red a:x/1", false, true},
		"mended":                       {[]record.DeviceRecord{results("a", "x/1=fail", "x/2=not-run")}, []record.DeviceRecord{results("a", "x/1=pass", "x/2=pass")}, "newly green a:x/1; newly green a:x/2", false, false},
		"did not run":                  {[]record.DeviceRecord{results("a", "x/1=pass", "x/2=fail")}, []record.DeviceRecord{results("a", "x/1=not-run", "x/2=not-run")}, "newly not run a:x/1; newly not run a:x/2", false, true},
		"does not apply any more":      {[]record.DeviceRecord{results("a", "x/1=pass")}, []record.DeviceRecord{results("a", "x/1=not-applicable")}, "newly not run a:x/1", false, true},
		"is not asked any more":        {[]record.DeviceRecord{results("a", "x/1=pass", "x/2=pass")}, []record.DeviceRecord{results("a", "x/2=pass")}, "newly not run a:x/1", false, true},
		"its device is gone":           {[]record.DeviceRecord{results("a", "x/1=pass"), results("b", "x/1=pass")}, []record.DeviceRecord{results("b", "x/1=pass")}, "newly not run a:x/1", false, true},
		"a new spec":                   {[]record.DeviceRecord{results("a")}, []record.DeviceRecord{results("a", "x/1=pass", "x/2=fail", "x/3=not-run")}, "newly red a:x/2; newly not run a:x/3", true, true},
		"one board of two":             {[]record.DeviceRecord{results("a", "x/1=pass"), results("b", "x/1=pass")}, []record.DeviceRecord{results("a", "x/1=pass"), results("b", "x/1=fail")}, "newly red b:x/1", true, false},
		"neither applied, nor applies": {[]record.DeviceRecord{results("a", "x/1=not-applicable")}, []record.DeviceRecord{results("a", "x/1=not-applicable")}, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare.Runs(run("A", c.before...), run("B", c.after...))
			if told(got) != c.want || got.Worse() != c.worse || got.Unknown() != c.unknowns {
				t.Errorf("%q, worse %v, unknown %v; want %q, %v, %v", told(got), got.Worse(), got.Unknown(), c.want, c.worse, c.unknowns)
			}
		})
	}
}

// What the earlier run did not ask is no result as before.
func TestWhatWasNotAskedBeforeIsNotAsBefore(t *testing.T) {
	got := compare.Runs(run("A", results("a", "x/1=pass")), run("B", results("a", "x/1=pass", "x/2=pass", "x/3=not-applicable"), results("b", "x/1=pass")))
	if want := "3 not asked before; 1 result as before."; got.New != 3 || got.Sentence() != want {
		t.Errorf("%d new: %s; want 3: %s", got.New, got.Sentence(), want)
	}
}

// A device at one of several hubs is the device that is at this hub only.
func TestADeviceAtOneOfSeveralHubsIsFoundAgain(t *testing.T) {
	at := func(hub string, d record.DeviceRecord) record.DeviceRecord {
		d.Hub = record.Hub{Name: hub, Kind: "local"}
		return d
	}
	both := run("A", at("one", results("a@one", "x/1=pass")), at("two", results("a@two", "x/1=fail")))
	again := run("B", at("two", results("a", "x/1=pass")))
	for name, c := range map[string]struct {
		before, after   *record.Record
		want, different string
	}{
		"run again at one hub": {both, again, "newly not run a@one:x/1; newly green a:x/1", "a@one: in the earlier run only"},
		"then at both":         {again, both, "newly red a@two:x/1", "a@one: in the later run only"},
	} {
		got := compare.Runs(c.before, c.after)
		slices.SortFunc(got.NewlyNotRun, func(a, b compare.Change) int { return strings.Compare(a.Device, b.Device) })
		if told(got) != c.want || strings.Join(got.Differs, "; ") != c.different {
			t.Errorf("%s: %q, %q; want %q, %q", name, told(got), got.Differs, c.want, c.different)
		}
	}
}

// What is wrong with a device beside its specs counts like one of them.
func TestADeviceAsAWhole(t *testing.T) {
	bad := results("a", "x/1=pass")
	bad.Cause, bad.Class = "its firmware changed", record.ClassDevice
	sound := results("a", "x/1=pass")
	if got := compare.Runs(run("A", sound), run("B", bad)); told(got) != "newly red a:device" || !got.Worse() {
		t.Errorf("got %q", told(got))
	}
	if got := compare.Runs(run("A", bad), run("B", sound)); told(got) != "newly green a:device" {
		t.Errorf("got %q", told(got))
	}
	if got := compare.Runs(run("A", bad), run("B", bad)); told(got) != "still red a:device" {
		t.Errorf("got %q", told(got))
	}
}

// What makes two runs hard to compare is said first.
func TestARunThatIsNotOfTheSameSaysSo(t *testing.T) {
	side := func(change func(*record.Record)) *record.Record {
		a, b := results("a", "x/1=pass"), results("b", "x/1=pass")
		for _, d := range []*record.DeviceRecord{&a, &b} {
			d.Hub = record.Hub{Name: "local", Kind: "local", Address: "localhost:8883"}
			d.Running = record.Running{Version: "2.4.0", Known: record.Asked}
			d.Hardware = record.Hardware{Serial: d.Name + "-1", Known: record.Asked}
		}
		r := run("R", a, b)
		if change != nil {
			change(r)
		}
		return r
	}
	for name, c := range map[string]struct {
		change func(*record.Record)
		want   string
	}{
		"the same":             {nil, ""},
		"another port":         {func(r *record.Record) { r.Devices[0].Hub.Address = "localhost:1" }, ""},
		"firmware asked":       {func(r *record.Record) { r.Devices[0].Running.Version = "2.4.1"; r.Devices[1].Running.Version = "2.4.1" }, "a, b: runs 2.4.0 before, 2.4.1 now"},
		"firmware claimed":     {func(r *record.Record) { r.Firmware.Version = "2.4.1" }, "firmware under test: none named before, 2.4.1 now"},
		"board":                {func(r *record.Record) { r.Devices[1].Hardware.Serial = "b-2" }, "b: is board b-1, as the device says before, b-2, as the device says now"},
		"hub":                  {func(r *record.Record) { r.Devices[0].Hub = record.Hub{Name: "mosq", Kind: "broker"} }, "a: at hub local (local) before, mosq (broker) now"},
		"catalogue":            {func(r *record.Record) { r.Run.Selection.Digest = "0123456789abcdef" }, "catalogue: none named before, 0123456789ab now"},
		"emulated":             {func(r *record.Record) { r.Devices[0].Emulated = true }, "a: is hardware before, emulated now"},
		"a device more":        {func(r *record.Record) { r.Devices = append(r.Devices, results("c")) }, "c: in the later run only"},
		"a device less":        {func(r *record.Record) { r.Devices = r.Devices[:1] }, "b: in the earlier run only"},
		"an earlier run":       {func(r *record.Record) { r.Run.Started = r.Run.Started.Add(-time.Hour) }, "order: R began before R, so what is newly red here was mended since"},
		"a run without an end": {func(r *record.Record) { r.Run.Ended = time.Time{} }, "R: the record has no end: the run was killed, or is still going on"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(compare.Runs(side(nil), side(c.change)).Differs, "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A measurement moved where the boards of a run do not differ as much.
func TestMeasurementsBeyondTheirSpread(t *testing.T) {
	high := 60.0
	side := func(unit string, values ...float64) *record.Record {
		var devices []record.DeviceRecord
		for i, v := range values {
			d := results(fmt.Sprint("d", i), "x/1=pass")
			d.Specs[0].Measurements = []record.Measurement{(record.Measurement{Name: "connect", Value: v, Unit: unit, High: &high}).Judge()}
			devices = append(devices, d)
		}
		return run("R", devices...)
	}
	for name, c := range map[string]struct {
		unit          string
		before, after []float64
		want          string
	}{
		"within a fifth":           {"msg/s", []float64{10}, []float64{11.9}, ""},
		"beyond a fifth":           {"msg/s", []float64{10}, []float64{12.1}, "d0 10 12.1 pass"},
		"below, too":               {"msg/s", []float64{10}, []float64{7}, "d0 10 7 pass"},
		"as the boards differ":     {"msg/s", []float64{10, 20}, []float64{19, 20}, ""},
		"more than they differ":    {"msg/s", []float64{10, 20}, []float64{10, 31}, "d1 20 31 pass"},
		"milliseconds of the host": {"s", []float64{0.01}, []float64{0.09}, ""},
		"seconds":                  {"s", []float64{0.01}, []float64{1}, "d0 0.01 1 pass"},
		"out of its limits":        {"s", []float64{59}, []float64{61}, "d0 59 61 fail"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range compare.Runs(side(c.unit, c.before...), side(c.unit, c.after...)).Moved {
				got = append(got, fmt.Sprintf("%s %g %g %s", m.Device, m.Before, m.After, m.Limits))
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMarkdownSaysItAll(t *testing.T) {
	before, after := run("A", results("a", "x/1=pass", "x/2=fail", "x/3=pass")), run("B", results("a", "x/1=fail", "x/2=pass", "x/3=not-run"))
	after.Devices[0].Specs[0].Message, after.Firmware.Version = "a | b\n<script>\x1b[31m", "2.4.1"
	var b bytes.Buffer
	if err := compare.Runs(before, after).Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# A → B\n", "1 newly red, 1 newly not run, 1 newly green; 0 results as before.", "- firmware under test: none named before, 2.4.1 now\n",
		"## Newly red (1)", `| x/1 | a | pass | fail | a \| b &lt;script>\x1b\[31m |`, "| x/3 | a | pass | not-run | because of x/3 |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

// big is a run of 100 devices, each with 90 specs.
func big(id string, verdict func(device, spec int) record.Verdict) *record.Record {
	var devices []record.DeviceRecord
	for d := range 100 {
		dev := results(fmt.Sprintf("board-%d", d))
		for s := range 90 {
			dev.Specs = append(dev.Specs, record.SpecResult{
				ID: fmt.Sprintf("area-%d/spec-%d", s/10, s), Text: "does what it must", Labels: []string{"core"}, Verdict: verdict(d, s),
				Attempts:     []record.Attempt{{Seconds: 1, Verdict: record.Pass}},
				Measurements: []record.Measurement{(record.Measurement{Name: "took", Value: float64(s), Unit: "s"}).Judge()},
			})
		}
		devices = append(devices, dev)
	}
	return run(id, devices...)
}

// Two runs of 100 × 90, from their files.
func BenchmarkTwoRunsOf100x90(b *testing.B) {
	dir := b.TempDir()
	verdicts := []record.Verdict{record.Pass, record.Pass, record.Fail, record.NotRun}
	for i, name := range []string{"A", "B"} {
		r := big(name, func(d, s int) record.Verdict { return verdicts[(d*s+i)%len(verdicts)] })
		if err := r.Save(filepath.Join(dir, name)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		var both [2]*record.Record
		for i, name := range []string{"A", "B"} {
			var err error
			if both[i], err = record.Load(filepath.Join(dir, name)); err != nil {
				b.Fatal(err)
			}
		}
		if c := compare.Runs(both[0], both[1]); len(c.NewlyRed) == 0 {
			b.Fatal("nothing changed")
		}
	}
}

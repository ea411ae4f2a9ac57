package record_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"hilrig/record"
)

var update = flag.Bool("update", false, "write the golden files")

func of(verdicts ...record.Verdict) (specs []record.SpecResult) {
	for i, v := range verdicts {
		specs = append(specs, record.SpecResult{ID: fmt.Sprintf("a/%d", i), Verdict: v})
	}
	return specs
}

// The verdict of a run: a device's failure outranks everything, and where
// nothing was proved nothing is green.
func TestConclude(t *testing.T) {
	const p, w, f, e, n, na = record.Pass, record.Warn, record.Fail, record.Error, record.NotRun, record.NotApplicable
	for _, c := range []struct {
		name    string
		devices []record.DeviceRecord
		want    record.Verdict
	}{
		{"no device", nil, n},
		{"no spec", []record.DeviceRecord{{}}, n},
		{"all pass", []record.DeviceRecord{{Specs: of(p, p)}}, p},
		{"a warning", []record.DeviceRecord{{Specs: of(p, w)}}, w},
		{"what does not apply is nothing", []record.DeviceRecord{{Specs: of(p, na)}}, p},
		{"nothing applies", []record.DeviceRecord{{Specs: of(na, na)}}, na},
		{"one did not run", []record.DeviceRecord{{Specs: of(p, n, w)}}, n},
		{"the rig broke", []record.DeviceRecord{{Specs: of(p, e, n)}}, e},
		{"failed, then the rig broke", []record.DeviceRecord{{Specs: of(f, e, n, p)}}, f},
		{"one of two devices failed", []record.DeviceRecord{{Specs: of(p)}, {Specs: of(f)}}, f},
		{"one of two devices has nothing", []record.DeviceRecord{{Specs: of(p)}, {}}, n},
		{"all pass, and the child died", []record.DeviceRecord{{Specs: of(p), Cause: "killed", Class: record.Harness}}, e},
		{"all pass, and the device died", []record.DeviceRecord{{Specs: of(p), Cause: "gone", Class: record.ClassDevice}}, f},
	} {
		r := &record.Record{Devices: c.devices}
		r.Run.Ended = time.Now()
		r.Run.Verdict = record.Pass // of an earlier conclusion
		r.Conclude()
		if r.Run.Verdict != c.want {
			t.Errorf("%s: got %s, want %s", c.name, r.Run.Verdict, c.want)
		}
	}
}

// A supervisor that is killed after its last spec has put nothing back: its
// record has no verdict, also one in which an older hilrig has left one.
func TestARecordWithoutAnEndHasNoVerdict(t *testing.T) {
	const p, f, n = record.Pass, record.Fail, record.NotRun
	for _, c := range []struct {
		name        string
		specs       []record.SpecResult
		run, device record.Verdict
	}{
		{"all pass", of(p, p), n, n},
		{"one failed", of(p, f), n, f},
		{"none ran", of(n, n), n, n},
	} {
		r := &record.Record{Schema: record.Schema, Devices: []record.DeviceRecord{{Name: "a", Specs: c.specs}}}
		r.Conclude()
		if r.Run.Verdict != c.run || r.Devices[0].Verdict != c.device || r.Unended() == "" {
			t.Errorf("%s: run %s, device %s, %q", c.name, r.Run.Verdict, r.Devices[0].Verdict, r.Unended())
		}
		r.Run.Verdict, r.Devices[0].Verdict = p, p
		path := filepath.Join(t.TempDir(), "run.json")
		if err := r.Save(path); err != nil {
			t.Fatal(err)
		}
		back, err := record.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if back.Run.Verdict != c.run || back.Devices[0].Verdict != c.device {
			t.Errorf("%s, loaded: run %s, device %s", c.name, back.Run.Verdict, back.Devices[0].Verdict)
		}
	}
	r := &record.Record{Run: record.Run{Broke: "SIGQUIT: quit"}}
	if why := r.Unended(); !strings.Contains(why, "SIGQUIT") {
		t.Errorf("one that broke off says %q", why)
	}
}

// A file of half a gigabyte is refused by its size, before it is in memory.
func TestARecordBeyondAllBoundsIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(path, []byte(`{"schema": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 500<<20); err != nil { // a hole: it takes no disk
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := record.Load(path)
	runtime.ReadMemStats(&after)
	if record.ClassOf(err) != record.Usage || !strings.Contains(fmt.Sprint(err), "524288000 bytes; a record has at most") {
		t.Errorf("got %v", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes of memory for a file that is refused", got)
	}
}

func TestOnlyGoodVerdictsAreGreen(t *testing.T) {
	for v, want := range map[record.Verdict]bool{
		record.Pass: true, record.Warn: true, record.NotApplicable: true,
		record.Fail: false, record.Error: false, record.NotRun: false, "": false, "nonsense": false,
	} {
		if v.Green() != want {
			t.Errorf("%q: green %v, want %v", v, v.Green(), want)
		}
	}
	if record.Verdict("").Valid() || !record.NotRun.Valid() {
		t.Error("valid: only the six are")
	}
}

// A verdict that nobody knows must not make a run green.
func TestAnUnknownVerdictIsNeverTheBest(t *testing.T) {
	if got := record.Worst("nonsense", record.Pass); got.Green() {
		t.Errorf("got %s", got)
	}
	if got := record.Worst(""); got.Green() {
		t.Errorf("no verdict at all: got %s", got)
	}
}

func TestMeasurementsAreJudgedByTheirLimits(t *testing.T) {
	at := func(f float64) *float64 { return &f }
	for _, c := range []struct {
		value     float64
		low, high *float64
		want      record.Verdict
	}{
		{5, nil, nil, record.Pass},
		{5, at(5), at(5), record.Pass},
		{5, at(5.1), nil, record.Fail},
		{5, nil, at(4.9), record.Fail},
		{-1, nil, at(0), record.Pass},
	} {
		if got := (record.Measurement{Value: c.value, Low: c.low, High: c.high}).Judge().Verdict; got != c.want {
			t.Errorf("%v: got %s, want %s", c, got, c.want)
		}
	}
}

func TestPutReplacesByID(t *testing.T) {
	d := record.DeviceRecord{Specs: of(record.NotRun, record.NotRun)}
	d.Put(record.SpecResult{ID: "a/1", Verdict: record.Pass})
	d.Put(record.SpecResult{ID: "b/1", Verdict: record.Fail})
	if len(d.Specs) != 3 || d.Specs[1].Verdict != record.Pass || d.Specs[2].ID != "b/1" {
		t.Errorf("got %+v", d.Specs)
	}
	r := record.Record{Devices: []record.DeviceRecord{d}}
	if n := r.Count(); n[record.NotRun] != 1 || n[record.Pass] != 1 || n[record.Fail] != 1 {
		t.Errorf("count: %v", n)
	}
}

// whole is a record in which every field of the format is set.
func whole() *record.Record {
	at := time.Date(2026, 11, 22, 23, 15, 1, 0, time.UTC)
	low := 97.0
	r := &record.Record{
		Schema: record.Schema,
		Run: record.Run{
			ID: "20261122T231501Z-7f3a", Rig: "bench-1", Host: "lab", Version: "v1", Started: at, Ended: at.Add(time.Minute),
			Arguments: []string{"run"}, Hub: "local", Interrupted: true, TimedOut: true, Broke: "SIGQUIT: quit", Round: 1, Rounds: 2,
			Selection: record.Selection{Specs: []string{"tls/*"}, LabelFilter: "!soak", Chosen: 1, Catalogue: 2, Digest: "cd", Default: true, Whole: true},
		},
		Firmware: record.Firmware{Version: "2.1", File: "fw.bin", SHA256: "ab"},
		Devices: []record.DeviceRecord{{
			Name: "a", Type: "ads300", DeviceID: "NewDevice", Emulated: true, Cause: "lease", Class: record.RigPort,
			DeviceFacts: record.DeviceFacts{
				Port: "/dev/ttyUSB0", Hub: record.Hub{Name: "mosq", Kind: "broker", Address: "hub:8883", Tap: true}, Lease: &record.Lease{PID: 1, Run: "r", Since: at}, Firmware: "2.1",
				Running:     record.Running{Version: "2.1", SHA256: "ab", Known: record.Flashed},
				Hardware:    record.Hardware{Serial: "ADS-0042", Known: record.Asked, Revision: "B"},
				Thumbprints: record.Thumbprints{SHA1: "A", SHA256: "B"}, Root: "C", Loads: 3, PowerCycles: 1,
				Faults: []string{"no-sni"}, LeftWith: "a test root", PeakMemory: 26_000_000,
			},
			Specs: []record.SpecResult{{
				ID: "tls/version", Text: "negotiates TLS 1.2", Labels: []string{"core"}, Verdict: record.Fail, Class: record.ClassDevice,
				Message: "m", Expected: "e", Seen: "s", Why: "w", Look: "l", At: 12.31, Cause: "c", Started: at, Seconds: 1.5, Flaky: true,
				Attempts:     []record.Attempt{{Started: at, Seconds: 1, Verdict: record.Fail, Class: record.ClassDevice, Message: "m"}},
				Steps:        []record.Step{{At: 0.5, Text: "asks"}},
				Measurements: []record.Measurement{(record.Measurement{Name: "share", Value: 96, Unit: "%", Low: &low}).Judge()},
				Evidence:     record.Evidence{TranscriptFrom: 1, TranscriptTo: 2, TimelineFrom: 3, TimelineTo: 4},
				Warnings:     []string{"w"}, Output: []string{"o"},
				Rounds: []record.RoundResult{{Round: 1, Started: at, Seconds: 1, Verdict: record.Pass}},
			}},
		}},
	}
	r.Conclude()
	return r
}

// run.json is a format that scripts rely on.
func TestTheFormat(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.json")
	if err := whole().Save(name); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "run.golden.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s", got)
	}
	back, err := record.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again.json")
	if err := back.Save(again); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(again); string(text) != string(want) {
		t.Errorf("what was loaded is not what was saved:\n%s", text)
	}
}

func TestLoadRefusesWhatIsNoRecord(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "junk": "{", "another file": `{"name": "x"}`, "an array": "[]",
		"a later format": fmt.Sprintf(`{"schema": %d}`, record.Schema+1), "half of one": `{"schema": 1, "run": {"id": "2026`,
		"two of them": `{"schema": 1} {"schema": 1}`,
	} {
		path := filepath.Join(dir, "run.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := record.Load(path); record.ClassOf(err) != record.Usage || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := record.Load(filepath.Join(dir, "nope.json")); !errors.Is(err, fs.ErrNotExist) || record.ClassOf(err) != record.Usage {
		t.Errorf("no file: %v", err)
	}
}

// Whoever reads while a record is replaced finds the old one or the new one.
func TestAReaderFindsAWholeFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.json")
	r := whole()
	if err := r.Save(name); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		for i := range 200 {
			r.Devices[0].Specs[0].Message = strings.Repeat("m", i*100)
			if err := r.Save(name); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		if _, err := record.Load(name); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func TestAFileThatCannotBeWrittenIsTheHostsTrouble(t *testing.T) {
	err := whole().Save(filepath.Join(t.TempDir(), "no", "such", "folder", "run.json"))
	if record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), "run.json") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	golden, err := os.ReadFile(filepath.Join("testdata", "run.golden.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"schema": 1, "devices": [{"specs": [{}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "run.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := record.Load(path)
		if (r == nil) == (err == nil) {
			t.Fatal("a record and an error, or neither")
		}
		if r != nil {
			r.Conclude()
			if len(r.Devices) == 0 && r.Run.Verdict.Green() {
				t.Fatal("green without a device")
			}
		}
	})
}

// A record of a hilrig that knew one hub for a run says the hub of each device.
func TestAnOlderRecordSaysItsHub(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.json")
	old := `{"schema": 1, "run": {"id": "r", "hub": "local", "ended": "2026-11-22T23:15:01Z"},
		"devices": [{"name": "a", "hub_address": "hub.rig.lan:8883", "specs": []}, {"name": "b", "specs": []}]}`
	if err := os.WriteFile(name, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := record.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []record.Hub{{Name: "local", Kind: "local", Address: "hub.rig.lan:8883"}, {Name: "local", Kind: "local"}} {
		if got := r.Devices[i].Hub; got != want {
			t.Errorf("%s: %+v, want %+v", r.Devices[i].Name, got, want)
		}
	}
}

// An entry of a run over several hubs says which device it is about.
func TestADeviceIsTheSameAtEveryHub(t *testing.T) {
	for name, want := range map[string]string{"emu-1": "emu-1", "emu-1@mosq": "emu-1", "emu-1@local": "emu-1@local"} {
		d := record.DeviceRecord{Name: name, DeviceFacts: record.DeviceFacts{Hub: record.Hub{Name: "mosq", Kind: "broker"}}}
		if got := d.Board(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

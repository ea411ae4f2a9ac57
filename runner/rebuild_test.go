//go:build linux

package runner

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

// A record that is lost or damaged is made anew as it was, however the run went.
func TestARebuiltRecordIsTheOneThatWasThere(t *testing.T) {
	for name, c := range map[string]struct {
		part    string
		devices []string
		repeat  int
	}{
		"one device":                       {"normal", []string{"emu-1"}, 1},
		"two devices":                      {"fail", []string{"emu-1", "emu-2"}, 1},
		"a child dies":                     {"killed", []string{"emu-1", "emu-2"}, 1},
		"a port is held":                   {"port-busy", []string{"emu-1"}, 1},
		"nonsense":                         {"wrong-results", []string{"emu-1"}, 1},
		"rounds":                           {"flaky-rig", []string{"emu-1", "emu-2"}, 3},
		"a child that dies in every round": {"panic", []string{"emu-1"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(t, c.devices...)
			p.Repeat = c.repeat
			p.Firmware = record.Firmware{Version: "2.4.1", File: "image.bin", SHA256: strings.Repeat("ab", 32)}
			res := run1(t, supervisor(t, c.part), p)
			records, err := filepath.Glob(filepath.Join(res.Dir, "round-*", record.RecordFile))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, name := range append(records, filepath.Join(res.Dir, record.RecordFile)) {
				want[name] = read(t, name)
				if err := os.WriteFile(name, []byte(want[name][:len(want[name])/2]), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Rebuild(res.Dir); err != nil {
				t.Fatal(err)
			}
			for name, was := range want {
				if is := read(t, name); is != was {
					t.Errorf("%s:\n%s\nwas\n%s", name, is, was)
				}
			}
		})
	}
}

// Of a supervisor that is killed the events may end in half a line; what they
// say is kept, and the rest has not run.
func TestEventsThatWereCutLeaveWhatTheySay(t *testing.T) {
	t.Parallel()
	res := run1(t, supervisor(t, "normal"), plan(t, "emu-1", "emu-2"))
	name := filepath.Join(res.Dir, record.EventsFile)
	events := read(t, name)
	cut := strings.Index(events, `"spec.finished","spec":"session/four"`)
	if err := os.WriteFile(name, []byte(events[:cut]), 0o644); err != nil {
		t.Fatal(err)
	}
	rec, err := Rebuild(res.Dir)
	if err == nil {
		rec, err = Load(res.Dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if rec.Run.Lost != "" || !rec.Run.Ended.IsZero() || rec.Run.UnderWay || rec.Run.Verdict != record.NotRun || len(rec.Devices) != 2 {
		t.Errorf("%+v", rec.Run)
	}
	ran := rec.Count()[record.Pass]
	if all := strings.Count(events[:cut], `"kind":"spec.finished"`); ran != all {
		t.Errorf("%d results of %d", ran, all)
	}
	if s := rec.Devices[1].Specs[3]; s.Verdict != record.NotRun && rec.Devices[0].Specs[3].Verdict != record.NotRun {
		t.Errorf("%+v", s)
	}
}

// What the events do not say has no verdict, and never replaces what is whole.
func TestWhatEventsDoNotSayIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		drop func(record.Event) bool
		lost string
	}{
		"an older hilrig's": {func(e record.Event) bool {
			return e.Kind == KindDeviceExpected || e.Kind == KindRunFirmware || e.Kind == KindRunClosing || e.Kind == KindDeviceEnded
		}, "does not say which devices and specs were asked"},
		"no word of the end": {func(e record.Event) bool { return e.Kind == KindRunClosing }, "does not say how the run ended"},
		"a damaged line":     {func(e record.Event) bool { return false }, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := run1(t, supervisor(t, "normal"), plan(t, "emu-1"))
			var kept bytes.Buffer
			for i, e := range readEvents(t, res.Dir) {
				if c.drop(e) {
					continue
				}
				b, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				if name == "a damaged line" && i == 6 {
					b[len(b)/2] = 0
				}
				kept.Write(append(b, '\n'))
			}
			if err := os.WriteFile(filepath.Join(res.Dir, record.EventsFile), kept.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			was := read(t, filepath.Join(res.Dir, record.RecordFile))
			if _, err := Rebuild(res.Dir); record.ClassOf(err) != record.Usage || read(t, filepath.Join(res.Dir, record.RecordFile)) != was {
				t.Errorf("a whole record: %v", err)
			}
			if err := os.Remove(filepath.Join(res.Dir, record.RecordFile)); err != nil {
				t.Fatal(err)
			}
			rec, err := Rebuild(res.Dir)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(rec.Run.Lost, c.lost) || rec.Run.Verdict != record.NotRun || rec.Devices[0].Verdict.Green() || len(rec.Devices[0].Specs) != 4 {
				t.Errorf("%+v\n%+v", rec.Run, rec.Devices)
			}
		})
	}
}

func TestWithoutEventsThereIsNothingToRebuildFrom(t *testing.T) {
	for name, events := range map[string]string{"empty": "", "strange": "hello\n", "of nothing": `{"at":1,"utc":"2026-11-22T23:15:01Z","source":"run","kind":"run.ended"}` + "\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, record.EventsFile), []byte(events), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Rebuild(dir); record.ClassOf(err) != record.Usage {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, record.RecordFile)); err == nil {
			t.Errorf("%s left a record", name)
		}
	}
	if _, err := Rebuild(t.TempDir()); record.ClassOf(err) != record.Usage {
		t.Errorf("none: %v", err)
	}
}

// A record that is read while its run goes on is not one of a run that was
// killed, and is not made anew.
func TestARunUnderWayIsKnownByItsLock(t *testing.T) {
	for _, repeat := range []int{1, 2} {
		s, p := supervisor(t, "normal"), plan(t, "emu-1")
		p.Repeat = repeat
		seen := 0
		s.Observe = func(e record.Event) {
			if e.Kind != record.KindChildEnded {
				return
			}
			dir := filepath.Join(s.Out, "latest")
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				dir = real
			}
			rec, err := Load(dir)
			switch {
			case err != nil:
				t.Error(err)
			case rec.Run.Ended.IsZero() && !rec.Run.UnderWay:
				t.Error("it goes on, and the record does not know")
			case rec.Run.UnderWay:
				seen++
			}
			if _, err := Rebuild(dir); err == nil && rec != nil && rec.Run.UnderWay && repeat > 1 {
				t.Error("rebuilt under way")
			}
		}
		res := run1(t, s, p)
		if repeat > 1 && seen == 0 {
			t.Error("never seen under way")
		}
		rec, err := Load(res.Dir)
		if err != nil || rec.Run.UnderWay || underWay(res.Dir) {
			t.Errorf("after its end: %v %+v", err, rec)
		}
		if _, err := os.Stat(filepath.Join(res.Dir, underWayFile)); err == nil {
			t.Error("the lock file is left")
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

package wording_test

import (
	"strings"
	"testing"
	"time"

	"hilrig/record"
	"hilrig/record/wording"
)

const p, w, f, e, n, na = record.Pass, record.Warn, record.Fail, record.Error, record.NotRun, record.NotApplicable

// device has a spec for each verdict.
func device(name string, verdicts ...record.Verdict) record.DeviceRecord {
	d := record.DeviceRecord{Name: name}
	for i, v := range verdicts {
		d.Specs = append(d.Specs, record.SpecResult{ID: "identity/" + string(rune('a'+i)), Verdict: v, Message: "words"})
	}
	return d
}

func at(hub string, d record.DeviceRecord) record.DeviceRecord {
	d.Hub.Name = hub
	return d
}

func emulated(d record.DeviceRecord, faults ...string) record.DeviceRecord {
	d.Emulated, d.Faults = true, faults
	return d
}

func saying(d record.DeviceRecord, firmware string) record.DeviceRecord {
	d.Firmware = firmware
	return d
}

var (
	usual   = record.Selection{LabelFilter: "!soak", Chosen: 82, Catalogue: 90, Default: true, Whole: true}
	some    = record.Selection{Specs: []string{"identity/*"}, Chosen: 5, Catalogue: 90}
	all     = record.Selection{Chosen: 90, Catalogue: 90, Whole: true}
	nothing record.Selection
)

// What a run proves is said, and no word more.
func TestSentence(t *testing.T) {
	named := record.Firmware{Version: "2.4.1"}
	for _, c := range []struct {
		name     string
		asked    record.Selection
		firmware record.Firmware
		devices  []record.DeviceRecord
		change   func(*record.Run)
		want     string
	}{
		{"the whole default selection on hardware, named", usual, named, []record.DeviceRecord{device("a", p, p, p, p, p)}, nil,
			"Firmware 2.4.1 passed: 5 specs on a (82 of 90 specs: the default selection)."},
		{"more than that", all, named, []record.DeviceRecord{device("a", p, w, p)}, nil,
			"Firmware 2.4.1 passed with 1 warning: 3 specs on a (all 90 specs)."},
		{"two boards", usual, named, []record.DeviceRecord{device("a", p, p), device("b", p, na)}, nil,
			"Firmware 2.4.1 passed: 2 specs on 2 devices, 1 does not apply (82 of 90 specs: the default selection)."},
		{"named by its file", usual, record.Firmware{File: "fw.bin"}, []record.DeviceRecord{device("a", p)}, nil,
			"Firmware fw.bin passed: 1 spec on a (82 of 90 specs: the default selection)."},
		{"named by the boards themselves", usual, record.Firmware{}, []record.DeviceRecord{saying(device("a", p), "3.0"), saying(device("b", p), "3.0")}, nil,
			"Firmware 3.0 passed: 1 spec on 2 devices (82 of 90 specs: the default selection)."},
		{"the boards name two", usual, record.Firmware{}, []record.DeviceRecord{saying(device("a", p), "3.0"), saying(device("b", p), "3.1")}, nil,
			"1 spec passed on 2 devices; no verdict on the firmware, which nobody named (82 of 90 specs: the default selection)."},
		{"nobody named it", usual, record.Firmware{}, []record.DeviceRecord{device("a", p, p)}, nil,
			"2 specs passed on a; no verdict on the firmware, which nobody named (82 of 90 specs: the default selection)."},
		{"a part of the catalogue", some, named, []record.DeviceRecord{device("a", p, p, p, p, p)}, nil,
			"5 specs passed on a; no verdict on the firmware (5 of 90 specs: identity/*)."},
		{"software", some, record.Firmware{}, []record.DeviceRecord{emulated(device("emu-1", p, p, p, p, p))}, nil,
			"5 specs passed on emu-1, emulated; no verdict on the firmware (5 of 90 specs: identity/*)."},
		{"software, whole and named", usual, named, []record.DeviceRecord{emulated(device("emu-1", p, w))}, nil,
			"2 specs passed on emu-1, emulated, with 1 warning; no verdict on the firmware (82 of 90 specs: the default selection)."},
		{"software beside a board", usual, named, []record.DeviceRecord{device("a", p), emulated(device("emu-1", p))}, nil,
			"Firmware 2.4.1 passed: 1 spec on 2 devices, 1 of them emulated (82 of 90 specs: the default selection)."},
		{"two boards at two hubs", usual, named, []record.DeviceRecord{at("x", device("a@x", p)), at("y", device("a@y", p)), at("x", device("b@x", p)), at("y", device("b@y", f))}, nil,
			"Firmware 2.4.1 failed: 1 of 4 results on 2 devices at 2 hubs (82 of 90 specs: the default selection)."},
		{"software at two hubs", some, named, []record.DeviceRecord{at("x", emulated(device("emu-1@x", p))), at("y", emulated(device("emu-1@y", p)))}, nil,
			"1 spec passed on emu-1, emulated, at 2 hubs; no verdict on the firmware (5 of 90 specs: identity/*)."},
		{"rounds", some, named, []record.DeviceRecord{device("a", p)}, func(r *record.Run) { r.Rounds = 3 },
			"1 spec passed on a in each of 3 rounds; no verdict on the firmware (5 of 90 specs: identity/*)."},
		{"a record that does not say what was asked", nothing, named, []record.DeviceRecord{device("a", p)}, nil,
			"1 spec passed on a; no verdict on the firmware."},
		{"nothing applies", some, named, []record.DeviceRecord{device("a", na, na)}, nil,
			"No verdict on the firmware: none of 2 specs applies to a (5 of 90 specs: identity/*)."},
		{"one failure on a board is enough", some, named, []record.DeviceRecord{device("a", p, f, n), device("b", p, p, p)}, nil,
			"Firmware 2.4.1 failed: 1 of 6 results on 2 devices; 1 did not run (5 of 90 specs: identity/*)."},
		{"a failure of software", some, named, []record.DeviceRecord{emulated(device("emu-1", p, f), "no-sni")}, nil,
			"1 of 2 specs failed on emu-1, emulated with faulty firmware no-sni; no verdict on the firmware (5 of 90 specs: identity/*)."},
		{"the rig", some, named, []record.DeviceRecord{device("a", p, e)}, nil,
			"No verdict on the firmware: the rig or the harness failed (identity/b: words) (5 of 90 specs: identity/*)."},
		{"not run", usual, named, []record.DeviceRecord{device("a", p, n)}, nil,
			"No verdict on the firmware: 1 of 2 specs on a did not run (82 of 90 specs: the default selection)."},
		{"killed after its last spec", usual, named, []record.DeviceRecord{device("a", p, p)}, func(r *record.Run) { r.Ended = time.Time{} },
			"The run was killed before its end: 2 of 2 specs on a had a result; no verdict on the firmware (82 of 90 specs: the default selection)."},
		{"hilrig itself panicked", usual, named, []record.DeviceRecord{device("a", p, n)}, func(r *record.Run) { r.Ended, r.Broke = time.Time{}, "panic: x" },
			"The run broke off (panic: x): 1 of 2 specs on a had a result; no verdict on the firmware (82 of 90 specs: the default selection)."},
		{"read while it goes on", usual, named, []record.DeviceRecord{device("a", p, n)}, func(r *record.Run) { r.Ended, r.UnderWay = time.Time{}, true },
			"The run is still under way: 1 of 2 specs on a had a result; no verdict on the firmware (82 of 90 specs: the default selection)."},
		{"interrupted", usual, named, []record.DeviceRecord{device("a", f, n)}, func(r *record.Run) { r.Interrupted = true },
			"The run was interrupted: 1 of 2 specs on a had a result, 1 failed; no verdict on the firmware (82 of 90 specs: the default selection)."},
	} {
		r := &record.Record{Run: record.Run{Selection: c.asked, Ended: time.Unix(1, 0)}, Firmware: c.firmware, Devices: c.devices}
		r.Conclude()
		if c.change != nil {
			c.change(&r.Run)
		}
		if got := wording.Sentence(r); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// No combination but the one says that a firmware passed.
func TestAFirmwareHasPassedOnlyWhereItIsProved(t *testing.T) {
	for _, asked := range []record.Selection{usual, all, some, nothing} {
		for _, named := range []string{"", "2.4.1"} {
			for _, software := range []bool{false, true} {
				for _, verdict := range []record.Verdict{p, w, f, e, n, na} {
					for _, ended := range []bool{true, false} {
						d := device("a", p, verdict)
						d.Emulated = software
						if verdict == na {
							d = device("a", na)
						}
						r := &record.Record{Run: record.Run{Selection: asked}, Firmware: record.Firmware{Version: named}, Devices: []record.DeviceRecord{d}}
						if ended {
							r.Run.Ended = time.Unix(1, 0)
						}
						r.Conclude()
						want := asked.Whole && named != "" && !software && (verdict == p || verdict == w) && ended
						if got := strings.HasPrefix(wording.Sentence(r), "Firmware 2.4.1 passed"); got != want {
							t.Errorf("whole %v, named %q, software %v, %s, ended %v: %s", asked.Whole, named, software, verdict, ended, wording.Sentence(r))
						}
					}
				}
			}
		}
	}
}

func TestSelection(t *testing.T) {
	for want, s := range map[string]record.Selection{
		"":                                      {},
		"all 90 specs":                          {Chosen: 90, Catalogue: 90, LabelFilter: "!nope"},
		"82 of 90 specs: the default selection": usual,
		"5 of 90 specs: identity/*":             some,
		"6 of 90 specs: labels smoke":           {Chosen: 6, Catalogue: 90, LabelFilter: "smoke"},
		"2 of 90 specs: tls/*, a/b with labels smoke":  {Chosen: 2, Catalogue: 90, Specs: []string{"tls/*", "a/b"}, LabelFilter: "smoke"},
		"6 of 90 specs: a/1, a/2, a/3, a/4 and 2 more": {Chosen: 6, Catalogue: 90, Specs: []string{"a/1", "a/2", "a/3", "a/4", "a/5", "a/6"}},
	} {
		if got := wording.Selection(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A shelf is counted in devices before it is counted in results; one that is red
// at one of its hubs is not sound.
func TestAShelfIsCountedInDevices(t *testing.T) {
	at := func(hub, board string, v record.Verdict) record.DeviceRecord {
		return record.DeviceRecord{Name: record.EntryName(board, hub), Verdict: v, DeviceFacts: record.DeviceFacts{Hub: record.Hub{Name: hub}}}
	}
	for want, devices := range map[string][]record.DeviceRecord{
		"":                               {at("one", "a", record.Fail), at("two", "a", record.Pass)},
		"1 of 2 devices sound, 1 failed": {at("one", "a", record.Pass), at("two", "a", record.Fail), at("one", "b", record.Warn), at("two", "b", record.Pass)},
		"1 of 4 devices sound, 1 kept from a verdict by the rig or the harness, 1 not run, or not whole, 1 asked nothing that applies": {
			at("one", "a", record.Pass), at("one", "b", record.Error), at("one", "c", record.NotRun), at("one", "d", record.NotApplicable)},
	} {
		if got := wording.Soundness(&record.Record{Devices: devices}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

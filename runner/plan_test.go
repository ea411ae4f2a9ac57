//go:build linux

package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/emulator"
	"hilrig/record"
)

func checkFault(name string) error {
	_, err := emulator.FindFault(name)
	return err
}

func request() Request {
	rig := rigfile.Default()
	rig.Devices = append(rig.Devices, rigfile.Device{Name: "ads300-a", TypeName: "infinite", DeviceID: "NewDevice", Serial: rigfile.Serial{Path: "/dev/ttyUSB0"}})
	return Request{
		Rig: rig, Catalogue: catalogue(), CheckFault: checkFault,
		Repeat: 1, Attempts: 1, Timeout: time.Hour,
	}
}

// schemaOf gives the first device's type a payload schema of this text.
func schemaOf(t *testing.T, text string) func(*Request) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "s.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(r *Request) { r.Rig.Devices[0].Type.Payload.Schema = name }
}

func TestAWrongRequestIsAUsageErrorThatNamesWhatAndTheCure(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Request)
		text   []string
	}{
		"device":         {func(r *Request) { r.Devices = []string{"ads300-b"} }, []string{"ads300-b", "did you mean ads300-a?"}},
		"far device":     {func(r *Request) { r.Devices = []string{"oscilloscope"} }, []string{"oscilloscope", "there is emu-1, ads300-a"}},
		"no device":      {func(r *Request) { r.Rig.Devices = nil }, []string{"built-in", "none"}},
		"fault":          {func(r *Request) { r.Devices, r.Faults = []string{"emu-1"}, []string{"no-verfy"} }, []string{"no-verfy", "did you mean no-verify?"}},
		"fault in file":  {func(r *Request) { r.Rig.Devices[0].Serial.Emulated.Faults = []string{"no-snii"} }, []string{"emu-1", "no-snii", "did you mean no-sni?"}},
		"no schema":      {func(r *Request) { r.Rig.Devices[0].Type.Payload.Schema = "/nowhere/s.json" }, []string{"emu-1", "/nowhere/s.json", "no such file"}},
		"no JSON":        {schemaOf(t, "{"), []string{"payload.schema", "no JSON:"}},
		"no JSON schema": {schemaOf(t, `{"type": 5}`), []string{"payload.schema", "no JSON schema", "/type"}},
		"fault on metal": {func(r *Request) { r.Faults = []string{"no-sni"} }, []string{"ads300-a", "real device", "--device"}},
		"hub":            {func(r *Request) { r.Hubs = []string{"azure"} }, []string{"azure", "it has local"}},
		"hub twice":      {func(r *Request) { r.Hubs = []string{"local", "local"} }, []string{"--hub local", "asked for twice"}},
		"spec":           {func(r *Request) { r.Specs = []string{"tls/nothing"} }, []string{"tls/nothing"}},
		"label filter":   {func(r *Request) { r.LabelFilter = "nonsense" }, []string{"nonsense"}},
		"bad filter":     {func(r *Request) { r.LabelFilter = "a &&" }, []string{"a &&"}},
		"repeat":         {func(r *Request) { r.Repeat = 0 }, []string{"--repeat", "0 is less than 1"}},
		"attempts":       {func(r *Request) { r.Attempts = -1 }, []string{"--attempts"}},
		"jobs":           {func(r *Request) { r.Jobs = -1 }, []string{"--jobs"}},
		"timeout":        {func(r *Request) { r.Timeout = 0 }, []string{"--timeout"}},
		"firmware file":  {func(r *Request) { r.Firmware.File = "/nowhere/fw.bin" }, []string{"/nowhere/fw.bin", "no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			c.change(&r)
			_, err := NewPlan(r)
			if record.ClassOf(err) != record.Usage || err == nil {
				t.Fatalf("class %q of %v", record.ClassOf(err), err)
			}
			for _, s := range c.text {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q, want %q in it", err, s)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
		})
	}
}

func TestFaultsGoIntoACopyOfTheRig(t *testing.T) {
	r := request()
	r.Devices, r.Faults = []string{"emu-1"}, []string{"no-sni", "no-verify"}
	p, err := NewPlan(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Devices[0].Faults(); len(got) != 2 {
		t.Errorf("faults %v", got)
	}
	if got := r.Rig.Devices[0].Faults(); len(got) != 0 {
		t.Errorf("the rig itself now has %v", got)
	}
}

func TestFirmwareIsHashed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fw.bin")
	if err := os.WriteFile(name, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := DescribeFirmware(record.Firmware{Version: "2.4.1", File: name})
	if err != nil {
		t.Fatal(err)
	}
	want := record.Firmware{Version: "2.4.1", File: "fw.bin", SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"} // FIPS 180-2, B.1
	if f != want {
		t.Errorf("%+v", f)
	}
}

func TestWhyNot(t *testing.T) {
	p := &Plan{}
	metal := Entry{rigfile.Device{Name: "a", Serial: rigfile.Serial{Path: "/dev/ttyUSB0"}}, rigfile.Hub{Kind: rigfile.KindBroker}}
	for _, c := range []struct {
		need fixtures.Need
		text string
	}{{"L", "shows no faults"}, {"N|L", "a tap"}, {"A", ""}, {"K|A", ""}, {fixtures.NeedPower, "power"}, {fixtures.NeedDeclared, ""}} {
		got := p.WhyNot(metal, fixtures.Spec{Needs: []fixtures.Need{c.need}})
		if (got == "") != (c.text == "") || !strings.Contains(got, c.text) {
			t.Errorf("%s: %q", c.need, got)
		}
	}
}

func TestAnUnwritableOutputFolderIsTheHostsFaultBeforeAnythingBegins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := supervisor(t, "normal")
	s.Out = filepath.Join(file, "out")
	s.Observe = func(e record.Event) { t.Errorf("event %s", e.Kind) }
	res, err := s.Run(t.Context(), plan(t, "emu-1"))
	if res != nil || record.ClassOf(err) != record.RigHost || !strings.Contains(err.Error(), s.Out) || !strings.Contains(err.Error(), "--out") {
		t.Errorf("%v, %v", res, err)
	}
}

func TestAFullDiskIsSaidAtOnce(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	small := t.TempDir()
	if err := mountSmall(small); err != nil {
		t.Skip("cannot mount a small file system: ", err)
	}
	t.Cleanup(func() { _ = unmount(small) })
	if err := fill(filepath.Join(small, "ballast")); err == nil {
		t.Fatal("the small file system cannot be filled")
	}
	s := supervisor(t, "normal")
	s.Out = filepath.Join(small, "out")
	s.Observe = func(e record.Event) { t.Errorf("event %s", e.Kind) }
	res, err := s.Run(t.Context(), plan(t, "emu-1"))
	if res != nil || record.ClassOf(err) != record.RigHost {
		t.Errorf("%v, %v", res, err)
	}
}

func TestADiskThatFillsUpEndsTheRunAndLeavesWholeLines(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	small := t.TempDir()
	if err := mountSmall(small); err != nil {
		t.Skip("cannot mount a small file system: ", err)
	}
	t.Cleanup(func() { _ = unmount(small) })
	s := supervisor(t, "normal")
	s.Out = filepath.Join(small, "out")
	s.Observe = func(e record.Event) {
		if e.Kind == record.KindSpecFinished && e.Spec == "identity/one" {
			_ = fill(filepath.Join(small, "ballast"))
		}
	}
	res, err := s.Run(t.Context(), plan(t, "emu-1"))
	if res == nil || record.ClassOf(err) != record.RigHost {
		t.Fatalf("%v, %v", res, err)
	}
	if got := res.Record.Run.Verdict; got.Green() {
		t.Errorf("verdict %s", got)
	}
	readEvents(t, res.Dir)
	if _, err := record.Load(filepath.Join(res.Dir, record.RecordFile)); err != nil {
		t.Errorf("the record on disk: %v", err)
	}
}

func TestALatestThatIsNotOursIsLeftAlone(t *testing.T) {
	s := supervisor(t, "normal")
	if err := os.MkdirAll(filepath.Join(s.Out, "latest", "precious"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), plan(t, "emu-1")); record.ClassOf(err) != record.RigHost {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Out, "latest", "precious")); err != nil {
		t.Error(err)
	}
}

func TestABusyDeviceIsNotTouched(t *testing.T) {
	s, p := supervisor(t, "normal"), plan(t, "emu-1", "metal")
	p.Devices[1].Serial = rigfile.Serial{Path: "/dev/ttyUSB9"}
	var names []string
	s.lease = func(name, run string) (release, error) {
		names = append(names, name)
		return nil, record.NewFailure(record.RigPort, "open port", name, errors.New("held by process 12, run X"))
	}
	res := run1(t, s, p)
	if len(names) != 1 || names[0] != "device /dev/ttyUSB9" {
		t.Errorf("leases asked for: %q", names)
	}
	metal := res.Record.Device("metal")
	if verdicts(*metal) != "not-run not-run not-run not-run" || metal.Class != record.RigPort || !strings.Contains(metal.Cause, "held by process 12, run X") {
		t.Errorf("%+v", metal)
	}
	if v := res.Record.Device("emu-1").Verdict; v != record.Pass {
		t.Errorf("emu-1: %s", v)
	}
	if got := ExitCode(res.Record); got != ExitRig {
		t.Errorf("exit %d", got)
	}
}

// Where a run cannot hand on what it reads, each device at Azure has a reader of
// its own, and a consumer group lets five in.
func TestNoMoreDevicesRunAtAzureThanMayRead(t *testing.T) {
	for _, c := range []struct {
		kind          string
		feeds         bool
		devices, jobs int
		want          int // 0: refused
	}{
		{rigfile.KindAzure, false, 3, 0, 3}, {rigfile.KindAzure, false, 9, 0, 5}, {rigfile.KindAzure, false, 9, 4, 4}, {rigfile.KindAzure, false, 9, 6, 0},
		{rigfile.KindAzure, false, 3, 9, 3}, {rigfile.KindLocal, false, 9, 0, 9}, {rigfile.KindLocal, false, 9, 7, 7},
		{rigfile.KindAzure, true, 20, 0, 20}, {rigfile.KindAzure, true, 20, 9, 9},
	} {
		p := &Plan{Hubs: []rigfile.Hub{{Kind: c.kind}}, Devices: make([]rigfile.Device, c.devices), Jobs: c.jobs}
		err := p.boundJobs(c.feeds)
		if refused := record.ClassOf(err) == record.Usage; refused != (c.want == 0) || !refused && p.Jobs != c.want {
			t.Errorf("%d devices at %s with --jobs %d: %d at once (%v), want %d", c.devices, c.kind, c.jobs, p.Jobs, err, c.want)
		}
	}
}

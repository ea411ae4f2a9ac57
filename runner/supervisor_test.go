//go:build linux

package runner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hilrig/record"
)

// What becomes of the four specs of a device, whatever its child does.
func TestEveryEndOfAChildIsInTheRecord(t *testing.T) {
	type want struct {
		verdicts string // of the four specs
		class    record.Class
		text     []string // in the message or cause of the second
		left     string   // in the cause of the third, where it did not run
		exit     int
	}
	for part, w := range map[string]want{
		"normal":        {"pass pass pass pass", "", nil, "", 0},
		"fail":          {"pass fail pass pass", record.ClassDevice, []string{"expected a, seen b"}, "", 1},
		"panic":         {"pass error not-run not-run", record.Harness, []string{"tls/two ran", "panic: nil map, of all things"}, "while tls/two ran", 3},
		"exit":          {"pass error not-run not-run", record.Harness, []string{"exit code 7 while tls/two ran"}, "exit code 7", 3},
		"killed":        {"pass error not-run not-run", record.Harness, []string{"child was killed by signal 9 while tls/two ran"}, "child was killed by signal 9 while tls/two ran", 3},
		"half-line":     {"pass error not-run not-run", record.Harness, []string{"signal 9 while tls/two ran"}, "signal 9", 3},
		"garbage":       {"pass pass pass pass", "", nil, "", 0},
		"wrong-results": {"pass not-run pass pass", record.Harness, []string{"ended without a result"}, "", 3},
		"forgets":       {"pass not-run pass pass", record.Harness, []string{"ended without a result"}, "", 3},
		"port-busy":     {"not-run not-run not-run not-run", record.RigPort, []string{"open port /dev/ttyUSB0: held by process 12"}, "held by process 12", 3},
		"lingers":       {"pass pass pass pass", "", nil, "", 0},
		"grandchild":    {"pass pass pass pass", "", nil, "", 0},
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			res := run1(t, supervisor(t, part), plan(t, "emu-1"))
			dev := res.Record.Devices[0]
			if got := verdicts(dev); got != w.verdicts {
				t.Fatalf("verdicts %s, want %s\n%+v", got, w.verdicts, dev)
			}
			second := dev.Specs[1]
			if second.Class != w.class {
				t.Errorf("class of the second: %q, want %q", second.Class, w.class)
			}
			for _, s := range w.text {
				if !strings.Contains(second.Message+second.Cause, s) {
					t.Errorf("second says %q %q, want %q in it", second.Message, second.Cause, s)
				}
			}
			if !strings.Contains(dev.Specs[2].Cause, w.left) {
				t.Errorf("third says %q, want %q in it", dev.Specs[2].Cause, w.left)
			}
			if got := ExitCode(res.Record); got != w.exit {
				t.Errorf("exit %d, want %d", got, w.exit)
			}
			checkFiles(t, res)
		})
	}
}

// A supervisor that is behind, with a hundred devices on a busy host, still
// hears everything that a child said before it ended.
func TestASlowSupervisorLosesNothing(t *testing.T) {
	t.Parallel()
	s := supervisor(t, "talkative")
	s.Observe = func(record.Event) { time.Sleep(5 * time.Millisecond) }
	res := run1(t, s, plan(t, "emu-1"))
	if got := verdicts(res.Record.Devices[0]); got != "pass pass pass pass" {
		t.Errorf("verdicts %s, cause %q", got, res.Record.Devices[0].Cause)
	}
	checkFiles(t, res)
}

func verdicts(d record.DeviceRecord) string {
	var vs []string
	for _, s := range d.Specs {
		vs = append(vs, string(s.Verdict))
	}
	return strings.Join(vs, " ")
}

// checkFiles holds the run folder against the record that Run returned.
func checkFiles(t *testing.T, res *Result) {
	t.Helper()
	saved, err := record.Load(filepath.Join(res.Dir, record.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	if saved.Run.Verdict != res.Record.Run.Verdict || saved.Run.Ended.IsZero() {
		t.Errorf("saved record: verdict %s, ended %s", saved.Run.Verdict, saved.Run.Ended)
	}
	finished := map[string]int{}
	for _, e := range readEvents(t, res.Dir) {
		if e.Kind == record.KindSpecFinished {
			finished[e.Device+" "+e.Spec]++
		}
	}
	for _, d := range res.Record.Devices {
		for _, s := range d.Specs {
			if n := finished[d.Name+" "+s.ID]; n != 1 {
				t.Errorf("%s %s has %d results in events.jsonl", d.Name, s.ID, n)
			}
		}
	}
	if to, err := os.Readlink(filepath.Join(res.Dir, "..", "latest")); err != nil || to != filepath.Base(res.Dir) {
		t.Errorf("latest points at %q (%v)", to, err)
	}
}

func readEvents(t *testing.T, dir string) []record.Event {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []record.Event
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		var e record.Event
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatalf("events.jsonl: %v in %s", err, sc.Text())
		}
		all = append(all, e)
	}
	return all
}

func TestARecordIsThereBeforeAnythingRuns(t *testing.T) {
	s := supervisor(t, "reads-the-record")
	var first record.Record
	var last *record.Record
	var err error
	s.Observe = func(e record.Event) {
		switch e.Kind {
		case "read":
			if err := e.Decode(&first); err != nil {
				t.Error(err)
			}
		case KindRunEnded: // what is shown last is on disk
			runs, _ := filepath.Glob(filepath.Join(s.Out, "2*", record.RecordFile))
			if last, err = record.Load(runs[0]); err != nil {
				t.Error(err)
			}
		}
	}
	run1(t, s, plan(t, "emu-1"))
	if got := verdicts(first.Devices[0]); got != "not-run not-run not-run not-run" {
		t.Errorf("first record: %s", got)
	}
	if first.Devices[0].Specs[0].Cause == "" {
		t.Error("not-run without a cause")
	}
	if got := verdicts(last.Devices[0]); got != "pass pass pass pass" {
		t.Errorf("record at the last event: %s", got)
	}
}

func TestNoiseIsReportedAndHarmless(t *testing.T) {
	res := run1(t, supervisor(t, "garbage"), plan(t, "emu-1"))
	var noise []string
	for _, e := range readEvents(t, res.Dir) {
		if e.Kind == KindChildNoise {
			noise = append(noise, e.Text)
		}
	}
	if len(noise) != 5 {
		t.Errorf("%d lines of noise, want 5: %q", len(noise), noise)
	}
}

func TestOneDeviceDoesNotTakeAnotherAlong(t *testing.T) {
	s, p := supervisor(t, "second-device-waits"), plan(t, "emu-1", "emu-2", "emu-3")
	p.Jobs = 2
	var once sync.Once
	s.Observe = func(e record.Event) {
		if e.Device == "emu-2" && e.Kind == KindChildStarted {
			once.Do(func() {
				var pid int
				if _, err := scanPID(e.Text, &pid); err == nil {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			})
		}
	}
	res := run1(t, s, p)
	for _, name := range []string{"emu-1", "emu-3"} {
		if v := res.Record.Device(name).Verdict; v != record.Pass {
			t.Errorf("%s: %s", name, v)
		}
	}
	dead := res.Record.Device("emu-2")
	if dead.Verdict != record.Error || !strings.Contains(dead.Cause, "signal 9") || dead.Class != record.Harness {
		t.Errorf("emu-2: %s %q %s", dead.Verdict, dead.Cause, dead.Class)
	}
}

func TestHalting(t *testing.T) {
	for _, c := range []struct {
		name, part  string
		signals     int
		timeout     time.Duration
		grace       GracePeriods
		second      record.Verdict
		text        string
		exit        int
		interrupted bool
	}{
		{"first interrupt", "polite", 1, time.Minute, GracePeriods{Stop: 20 * time.Second, Now: 20 * time.Second}, record.NotRun, "interrupted", 130, true},
		{"second interrupt", "in-a-hurry-only", 2, time.Minute, GracePeriods{Stop: 20 * time.Second, Now: 20 * time.Second}, record.NotRun, "interrupted", 130, true},
		{"second interrupt, deaf", "deaf", 2, time.Minute, GracePeriods{Stop: 20 * time.Second, Now: 20 * time.Second, Twice: 200 * time.Millisecond}, record.Error, "did not end when told to and was killed while tls/two ran", 130, true},
		{"stop is not obeyed", "in-a-hurry-only", 1, time.Minute, GracePeriods{Stop: 200 * time.Millisecond, Now: 20 * time.Second}, record.NotRun, "interrupted", 130, true},
		{"nothing is obeyed", "deaf", 1, time.Minute, GracePeriods{Stop: 200 * time.Millisecond, Now: 200 * time.Millisecond}, record.Error, "did not end when told to and was killed while tls/two ran", 130, true},
		{"time over", "polite", 0, 2 * time.Second, GracePeriods{Stop: 20 * time.Second, Now: 20 * time.Second}, record.NotRun, "the run's time of 2s was over", 3, false},
		{"time over, deaf", "deaf", 0, 2 * time.Second, GracePeriods{Stop: 200 * time.Millisecond, Now: 200 * time.Millisecond}, record.Error, "was killed while tls/two ran", 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, p := supervisor(t, c.part), plan(t, "emu-1")
			s.GracePeriods.Stop, s.GracePeriods.Now, s.GracePeriods.Twice, p.Timeout = c.grace.Stop, c.grace.Now, c.grace.Twice, c.timeout
			signals := make(chan os.Signal, 2)
			s.Signals = signals
			s.Observe = func(e record.Event) {
				if e.Kind == record.KindSpecStarted && e.Spec == odd {
					for range c.signals {
						signals <- os.Interrupt
					}
				}
			}
			started := time.Now()
			res := run1(t, s, p)
			if d := time.Since(started); d > 8*time.Second {
				t.Errorf("took %s", d)
			}
			second := res.Record.Devices[0].Specs[1]
			if second.Verdict != c.second || !strings.Contains(second.Message+second.Cause, c.text) {
				t.Errorf("second: %s %q %q", second.Verdict, second.Message, second.Cause)
			}
			if r := res.Record.Run; r.Interrupted != c.interrupted || r.TimedOut == c.interrupted {
				t.Errorf("interrupted %t, timed out %t", r.Interrupted, r.TimedOut)
			}
			if got := ExitCode(res.Record); got != c.exit {
				t.Errorf("exit %d, want %d", got, c.exit)
			}
			checkFiles(t, res)
		})
	}
}

// A device whose turn has not come when the run is interrupted is not begun.
func TestInterruptBeforeADeviceBegins(t *testing.T) {
	s, p := supervisor(t, "polite"), plan(t, "emu-1", "emu-2")
	p.Jobs = 1
	signals := make(chan os.Signal, 2)
	s.Signals = signals
	var begun []string
	s.Observe = func(e record.Event) {
		if e.Kind == KindChildStarted {
			begun = append(begun, e.Device)
			signals <- os.Interrupt
		}
	}
	res := run1(t, s, p)
	if len(begun) != 1 {
		t.Fatalf("begun: %v", begun)
	}
	for _, d := range res.Record.Devices {
		if d.Name != begun[0] && d.Specs[0].Cause != interrupted {
			t.Errorf("%s: %q", d.Name, d.Specs[0].Cause)
		}
	}
}

// playSupervisor is a supervisor that is to be killed: its children wait.
func playSupervisor() int {
	var t testing.T
	s := &Supervisor{
		Command: []string{os.Args[0]}, Env: append(os.Environ(), fakeEnv+"="+os.Getenv("HILRIG_FAKE_PART")),
		Out: os.Getenv("HILRIG_FAKE_OUT"), LockDir: os.TempDir(), GracePeriods: DefaultGracePeriods(), Log: discard(),
	}
	_, _ = s.Run(context.Background(), plan(&t, "emu-1"))
	return 0
}

func TestChildrenEndWithTheirSupervisor(t *testing.T) {
	for _, part := range []string{"in-a-hurry-only", "deaf"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fakeEnv+"=supervisor", "HILRIG_FAKE_PART="+part, "HILRIG_FAKE_OUT="+out)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid := awaitChild(t, out)
			runs, _ := filepath.Glob(filepath.Join(out, "2*"))
			if rec, err := Load(runs[0]); err != nil || !rec.Run.UnderWay {
				t.Errorf("read while it goes on: %v", err)
			}
			if _, err := Rebuild(runs[0]); err == nil {
				t.Error("rebuilt while it goes on")
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			killed := time.Now()
			for syscall.Kill(pid, 0) == nil {
				if time.Since(killed) > lifelineGrace+time.Second {
					_ = syscall.Kill(pid, syscall.SIGKILL)
					t.Fatal("the child outlived its supervisor")
				}
				time.Sleep(10 * time.Millisecond) // a process that is not ours cannot be waited for
			}
			rec, err := Load(runs[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := verdicts(rec.Devices[0]); got != "pass not-run not-run not-run" {
				t.Errorf("the record that a killed supervisor leaves: %s", got)
			}
			anew, err := Rebuild(runs[0])
			if err != nil {
				t.Fatal(err)
			}
			anew.Devices[0].DeviceFacts = rec.Devices[0].DeviceFacts // the events are ahead of the last save
			if rec.Run.UnderWay || !bytes.Equal(record.MustData(anew), record.MustData(rec)) {
				t.Errorf("rebuilt: %+v\nleft: %+v", anew, rec)
			}
		})
	}
}

// awaitChild waits until the child of a supervisor elsewhere is in its second
// spec, and returns its process id.
func awaitChild(t *testing.T, out string) int {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(out, "2*", "events.jsonl"))
		if len(files) != 1 {
			continue
		}
		events := readEvents(t, filepath.Dir(files[0]))
		pid := 0
		for _, e := range events {
			if e.Kind == KindChildStarted {
				_, _ = scanPID(e.Text, &pid)
			}
		}
		if slices.ContainsFunc(events, func(e record.Event) bool { return e.Kind == record.KindSpecStarted && e.Spec == odd }) {
			return pid
		}
	}
	t.Fatal("no child came to its second spec")
	return 0
}

// Whoever keeps account of runs knows one before it can be killed.
func TestARunIsToldOfBeforeAnythingIsTouched(t *testing.T) {
	s, p := supervisor(t, "normal"), plan(t, "emu-1")
	var begun *record.Record
	s.Begun = func(dir string, r *record.Record) {
		if _, err := os.Stat(filepath.Join(dir, record.RecordFile)); err == nil {
			t.Error("told after the record was begun")
		}
		begun = r
	}
	res := run1(t, s, p)
	if begun == nil || begun.Run.ID != res.Record.Run.ID || len(begun.Devices) != 1 || begun.Devices[0].Specs[0].Verdict != record.NotRun {
		t.Errorf("told %+v", begun)
	}
}

package suites_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/tap"
	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/console"
	"hilrig/hw/emulator"
	"hilrig/record"
	"hilrig/selftest"
	"hilrig/suites"
)

// kinds are the hubs that tests open.
func kinds() fixtures.Kinds {
	return fixtures.Kinds{
		rigfile.KindLocal: func(h rigfile.Hub) hub.Open {
			if h.Tap.On {
				return tap.Wrap(localhub.Open, tap.Config{Local: true})
			}
			return localhub.Open
		},
		kindMessages: func(h rigfile.Hub) hub.Open {
			if h.Tap.On {
				return tap.Wrap(openMessages, tap.Config{Local: true})
			}
			return openMessages
		},
	}
}

// beChild is the test binary as a device's child process: job on standard
// input, events on standard output. Ginkgo runs one suite per process.
func beChild() int {
	var job fixtures.Job
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	out := json.NewEncoder(os.Stdout)
	bg := context.Background()
	err := suites.Host{Catalogue: suites.All(), Kinds: kinds()}.Run(bg, bg, job, slog.New(slog.NewTextHandler(os.Stderr, nil)), func(e record.Event) { _ = out.Encode(e) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// alone are the rows that run while no other does, with the reason.
var alone = map[string]string{
	"exponential-without-jitter": "whether chance is in a pause shows in hundredths of a second, and so does a busy host",
}

// TestGallery shows that every spec here is turned red, or to the warn it
// names, by the faults that are to be caught by it, with a message that names
// the cause.
func TestGallery(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the gallery takes a minute")
	}
	gallery(t, suites.All(), false)
}

// gallery runs each fault that specs are to catch on a device that has it, at
// the local hub or through a tap in front of it.
func gallery(t *testing.T, specs []fixtures.Spec, tap bool) {
	t.Helper()
	cases, err := selftest.Cases(selftest.Request{Specs: specs})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Fault == nil {
			continue // TestSoundProfiles
		}
		t.Run(c.Fault.Name, func(t *testing.T) {
			if why := atTheHubAlone[c.Fault.Name]; tap && why != "" {
				t.Skip(why)
			}
			if alone[c.Fault.Name] == "" {
				t.Parallel()
			}
			job := emulatedJob(t, c.Specs)
			job.Device, job.Hub.Tap.On = c.Device, tap
			caught(t, job, *c.Fault)
		})
	}
}

// atTheHubAlone says which faults are not shown through a tap as well, and why.
var atTheHubAlone = map[string]string{
	"backoff-never-starts-over": "its session of a minute makes three of it, and TestGallery holds it: connections are told by the hub, with a tap or without",
}

// caught runs a job on a device with a fault, which must be caught.
func caught(t *testing.T, job fixtures.Job, fault emulator.Fault) {
	t.Helper()
	var results []record.SpecResult
	for _, r := range runChild(t, job) {
		results = append(results, r)
	}
	row := selftest.JudgeFault(fault, results)
	if row.Verdict == record.Pass {
		return
	}
	t.Errorf("%s (%s) was not caught: %s", row.Fault, row.Doc, row.Missing)
	for _, n := range row.Named {
		t.Errorf("  %s: %s %s", n.Spec, n.Verdict, n.Message)
	}
	for _, r := range results {
		for _, step := range r.Steps {
			t.Logf("  %s: %.2f s %s", r.ID, step.At, step.Text)
		}
	}
}

func runChild(t *testing.T, job fixtures.Job) map[string]record.SpecResult {
	t.Helper()
	results := map[string]record.SpecResult{}
	eachEvent(t, job, func(e record.Event) {
		if e.Kind != record.KindSpecFinished {
			return
		}
		var r record.SpecResult
		if err := e.Decode(&r); err != nil {
			t.Error(err)
		}
		results[r.ID] = r
	})
	return results
}

// eachEvent runs a child and shows what it reports.
func eachEvent(t *testing.T, job fixtures.Job, see func(record.Event)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	input, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, job.Executable, "child")
	cmd.Stdin = bytes.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e record.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			see(e)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("child: %v\n%s", err, errs.String())
	}
}

// TestSoundProfiles shows that firmware without a fault is green whatever its
// shape: all that a profile is held against, or the smoke of one that is held
// against everything. A spec may not apply to one; which are few.
func TestSoundProfiles(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the sound profiles take a minute")
	}
	notFor := map[string][]string{"periodic": {"session/pings", "session/late-pingresp"}}
	for _, p := range emulator.Profiles() {
		if p.Name == emulator.ProfileFast {
			continue // TestCatalogue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			label := ""
			if len(p.Specs) == 0 {
				label = "smoke"
			}
			specs, err := suites.Select(suites.All(), label, p.Specs)
			if err != nil {
				t.Fatal(err)
			}
			job := emulatedJob(t, specs)
			rig, problems := rigfile.Parse("rig.yaml", []byte("devices: [{name: d, device_id: NewDevice, serial: {emulated: {profile: "+p.Name+"}}}]\n"))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			job.Device = rig.Devices[0]
			results := runChild(t, job)
			for _, s := range specs {
				r := results[s.ID]
				green := r.Verdict == record.Pass || r.Verdict == record.Warn && slices.Contains(p.Warns, s.ID)
				if slices.Contains(notFor[p.Name], s.ID) {
					green = r.Verdict == record.NotApplicable
				}
				if !green {
					t.Errorf("%s: %s %s %s", s.ID, r.Verdict, r.Message, r.Cause)
				}
			}
		})
	}
}

// What the specs that load files say they cost is what a sound device is loaded
// with, but for what a slow line is measured by again: nothing else counts how
// soon flash is worn out before a run.
func TestASoundDeviceIsLoadedWithWhatTheSpecsCost(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "!soak", []string{"provisioning/*", "tls/root-rotation"})
	if err != nil {
		t.Fatal(err)
	}
	want, loads, by := 0, 0, map[string]int{}
	for _, s := range specs {
		want += s.Cost.Loads
	}
	running := ""
	eachEvent(t, emulatedJob(t, specs), func(e record.Event) {
		switch e.Kind {
		case record.KindSpecStarted:
			running = e.Spec
		case record.KindDeviceFacts:
			var f record.DeviceFacts
			if err := e.Decode(&f); err != nil {
				t.Error(err)
			}
			by[running] += f.Loads - loads
			loads = f.Loads
		}
	})
	again := by[lineRate] // a busy host's measurement is taken again, of all three files
	if loads-again != want || again%len(console.Slots()) != 0 {
		t.Errorf("%d files loaded, %d of them by %s, the specs cost %d: %v", loads, again, lineRate, want, by)
	}
}

// lineRate is the spec that loads files only where a measurement was poor.
const lineRate = "provisioning/line-rate"

// A device that refuses one file of what is put back is asked once more: the
// specs behind are about something else.
func TestARefusedPutBackIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{
		"provisioning/root", "provisioning/certificate", "provisioning/key", "provisioning/long-certificate", "session/protocol", "delivery/topic",
	})
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	job.Device.Serial.Emulated.Faults = []string{"busy-after-long-key"}
	job.Device.Type.Timing.ConnectWithin = 4 * time.Second // waited for in vain
	results := runChild(t, job)
	for _, s := range specs {
		want := record.Pass
		if s.ID == "provisioning/long-certificate" {
			want = record.Fail
		}
		if r := results[s.ID]; r.Verdict != want {
			t.Errorf("%s: %s %s %s, want %s", s.ID, r.Verdict, r.Message, r.Cause, want)
		}
	}
}

// A device that was given its files back leaves its session for a new one, a
// moment later: who judges a session next judges that one.
func TestASpecBehindAPutBackJudgesTheSessionThatComesOfIt(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), "", []string{"tls/root-rotation", "session/pings"})
	if err != nil {
		t.Fatal(err)
	}
	results := runChild(t, emulatedJob(t, specs))
	for _, s := range specs {
		if r := results[s.ID]; r.Verdict != record.Pass {
			t.Errorf("%s: %s %s %s", s.ID, r.Verdict, r.Message, r.Cause)
		}
	}
}

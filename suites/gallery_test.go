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
	"strings"
	"testing"
	"time"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/emulator"
	"hilrig/record"
	"hilrig/suites"
)

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
	err := suites.Run(bg, bg, job, slog.New(slog.NewTextHandler(os.Stderr, nil)), func(e record.Event) { _ = out.Encode(e) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// TestGallery shows that every spec here is turned red, or to the warn it
// names, by the faults that are to be caught by it, with a message that names
// the cause.
func TestGallery(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the gallery takes a minute")
	}
	have := map[string]fixtures.Spec{}
	for _, s := range suites.All() {
		have[s.ID] = s
	}
	for _, f := range emulator.Faults() {
		var specs []fixtures.Spec
		for _, id := range f.CaughtBy {
			if s, ok := have[id]; ok {
				specs = append(specs, s)
			}
		}
		if len(specs) == 0 {
			continue // its spec is not in this catalogue yet
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			caught(t, f, runChild(t, faultyJob(t, f, specs)))
		})
	}
}

func caught(t *testing.T, f emulator.Fault, results map[string]record.SpecResult) {
	t.Helper()
	var seen []string
	for id, r := range results {
		said := r.Message + " " + strings.Join(r.Warnings, " ")
		seen = append(seen, fmt.Sprintf("%s: %s %s %s", id, r.Verdict, said, r.Cause))
		if r.Verdict != record.Fail && r.Verdict != record.Warn || r.Verdict == record.Fail && r.Class != record.Device {
			continue
		}
		missing := ""
		for _, w := range f.Words {
			if !strings.Contains(said, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		seen = append(seen, "  does not say "+missing)
	}
	t.Errorf("%s (%s) was not caught:\n  %s", f.Name, f.Doc, strings.Join(seen, "\n  "))
}

// faultyJob runs a faulty device with time limits of a few seconds: what is
// waited for in vain here never comes.
func faultyJob(t *testing.T, f emulator.Fault, specs []fixtures.Spec) fixtures.Job {
	job := emulatedJob(t, specs)
	job.Device.Serial.Emulated.Faults = []string{f.Name}
	timing := &job.Device.Type.Timing
	timing.ConnectWithin, timing.PublishWithin, timing.ReconnectWithin = 5*time.Second, 5*time.Second, 5*time.Second
	timing.AbortWithin, timing.Soak = time.Second, 5*time.Second
	job.Device.Type.Console.PromptWithin, job.Device.Type.Console.OKWithin = 2*time.Second, 3*time.Second
	return job
}

func runChild(t *testing.T, job fixtures.Job) map[string]record.SpecResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
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
	results := map[string]record.SpecResult{}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e record.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Kind == record.KindSpecFinished {
			var r record.SpecResult
			if err := e.Decode(&r); err != nil {
				t.Error(err)
			}
			results[r.ID] = r
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("child: %v\n%s", err, errs.String())
	}
	return results
}

// TestSoundProfiles shows that firmware without a fault passes whatever its
// pace: a board that boots for seconds and thinks before each answer, and one
// that talks all the time and has no echo.
func TestSoundProfiles(t *testing.T) {
	for _, profile := range []string{"slow", "chatty"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			specs, err := suites.Select(suites.All(), "smoke", nil)
			if err != nil {
				t.Fatal(err)
			}
			job := emulatedJob(t, specs)
			rig, problems := rigfile.Parse("rig.yaml", []byte("devices: [{name: d, device_id: NewDevice, serial: {emulated: {profile: "+profile+"}}}]\n"))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			job.Device = rig.Devices[0]
			for id, r := range runChild(t, job) {
				if r.Verdict != record.Pass {
					t.Errorf("%s: %s %s %s", id, r.Verdict, r.Message, r.Cause)
				}
			}
		})
	}
}

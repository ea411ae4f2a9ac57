package suites_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/hw/emulator"
	"hilrig/record"
	"hilrig/suites"
)

// TestMain lets the test binary be the emulated device: the harness starts one
// as a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "emulate" {
		os.Exit(beDevice(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(beChild())
	}
	os.Exit(m.Run())
}

// beDevice is `hilrig emulate` without cobra: the same flags, the same start.
func beDevice(args []string) int {
	var o emulator.Options
	fs := pflag.NewFlagSet("emulate", pflag.ContinueOnError)
	emulator.Flags(fs, &o)
	err := fs.Parse(args)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = emulator.Start(ctx, o, os.Stdin, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestCatalogue runs every spec that is not soak, through Ginkgo, against a
// sound emulated device: all must be green.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	specs, err := suites.Select(suites.All(), cmp.Or(os.Getenv("HILRIG_TEST_LABELS"), "!soak"), nil)
	if err != nil {
		t.Fatal(err)
	}
	job := emulatedJob(t, specs)
	results := runChild(t, job)
	quiet := map[string]bool{"provisioning/noise": true} // this firmware prints nothing of its own; the chatty one does
	for _, s := range specs {
		r, ran := results[s.ID]
		if quiet[s.ID] && r.Verdict == record.NotApplicable {
			continue
		}
		if !ran || r.Verdict != record.Pass {
			t.Errorf("%s: %s %s %s %v", s.ID, r.Verdict, r.Message, r.Cause, r.Warnings)
		}
		t.Logf("%-36s %-5s %6.3f s", s.ID, r.Verdict, r.Seconds)
	}
}

func emulatedJob(t *testing.T, specs []fixtures.Spec) fixtures.Job {
	t.Helper()
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rig := rigfile.Default()
	job := fixtures.Job{
		RunID: "test", Rig: rig.Name, Started: time.Now(), Dir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state"),
		LockDir: dir, Executable: exe, Device: rig.Devices[0], Hub: rig.Hub, Attempts: 1,
	}
	for _, s := range specs {
		job.Specs = append(job.Specs, s.ID)
	}
	return job
}

//go:build linux

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/record"
)

func TestRoundsAreRecordsOfTheirOwnAndSummedUp(t *testing.T) {
	s, p := supervisor(t, "flaky-rig"), plan(t, "emu-1")
	p.Repeat = 3
	var done []string
	s.RoundDone = func(dir string, r *record.Record) { done = append(done, filepath.Base(dir)) }
	res := run1(t, s, p)
	if strings.Join(done, " ") != "round-01 round-02 round-03" {
		t.Errorf("rounds done: %v", done)
	}
	for i, want := range []string{"pass pass pass pass", "pass fail pass pass", "pass pass pass pass"} {
		r, err := record.Load(filepath.Join(roundDir(res.Dir, i+1), record.RecordFile))
		if err != nil {
			t.Fatal(err)
		}
		if got := verdicts(r.Devices[0]); got != want || r.Run.Round != i+1 || r.Run.Rounds != 3 {
			t.Errorf("round %d of %d: %s", r.Run.Round, r.Run.Rounds, got)
		}
	}
	sum, err := record.Load(filepath.Join(res.Dir, record.RecordFile))
	if err != nil {
		t.Fatal(err)
	}
	dev := sum.Devices[0]
	if got := verdicts(dev); got != "pass fail pass pass" {
		t.Fatalf("sum: %s", got)
	}
	two := dev.Specs[1]
	if !strings.HasPrefix(two.Message, "in 1 of 3 rounds: expected a") || len(two.Rounds) != 3 || two.Rounds[1].Verdict != record.Fail {
		t.Errorf("sum of the second: %q, rounds %+v", two.Message, two.Rounds)
	}
	if dev.Loads != 9 {
		t.Errorf("%d loads in three rounds of 3", dev.Loads)
	}
	if ExitCode(sum) != ExitDevice {
		t.Errorf("exit %d", ExitCode(sum))
	}
}

func TestARoundThatNeverCameIsNotGreen(t *testing.T) {
	s, p := supervisor(t, "normal"), plan(t, "emu-1")
	p.Repeat = 3
	signals := make(chan os.Signal, 1)
	s.Signals = signals
	s.Observe = func(e record.Event) {
		if e.Kind == KindRunEnded && len(signals) == 0 {
			signals <- os.Interrupt
		}
	}
	res := run1(t, s, p)
	if got := ExitCode(res.Record); got != ExitInterrupted {
		t.Errorf("exit %d", got)
	}
	first := res.Record.Devices[0].Specs[0]
	if first.Verdict != record.NotRun || !strings.Contains(first.Cause, "to 3: interrupted") || len(first.Rounds) == 0 {
		t.Errorf("%s %q %+v", first.Verdict, first.Cause, first.Rounds)
	}
}

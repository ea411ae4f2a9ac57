//go:build linux

package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hilrig/record"
)

// bounded runs a plan that must come to its end by itself, however its parts
// hang.
func bounded(t *testing.T, s *Supervisor, p *Plan) *Result {
	t.Helper()
	type end struct {
		res *Result
		err error
	}
	ended := make(chan end, 1)
	go func() {
		res, err := s.Run(context.Background(), p)
		ended <- end{res, err}
	}()
	select {
	case e := <-ended:
		if e.err != nil {
			t.Fatal(e.err)
		}
		return e.res
	case <-time.After(30 * time.Second):
		t.Fatal("the run does not end")
		return nil
	}
}

// Whoever shows a run may hang from its first event on: the record is whole,
// and time over and interrupts are obeyed as ever.
func TestAnObserverThatHangsHoldsNobodyUp(t *testing.T) {
	for _, c := range []struct {
		name, part string
		timeout    time.Duration
		signals    int
		exit       int
	}{
		{"to the end", "normal", time.Minute, 0, ExitPass},
		{"time over", "polite", 700 * time.Millisecond, 0, ExitRig},
		{"interrupted", "polite", time.Minute, 1, ExitInterrupted},
		{"interrupted twice", "in-a-hurry-only", time.Minute, 2, ExitInterrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, p := supervisor(t, c.part), plan(t, "emu-1")
			p.Timeout = c.timeout
			signals := make(chan os.Signal, 2)
			s.Signals = signals
			hung := make(chan struct{})
			t.Cleanup(func() { close(hung) })
			s.Observe = func(record.Event) { <-hung }
			go func() {
				awaitChild(t, s.Out)
				for range c.signals {
					signals <- os.Interrupt
				}
			}()
			res := bounded(t, s, p)
			if got := ExitCode(res.Record); got != c.exit {
				t.Errorf("exit %d, want %d", got, c.exit)
			}
			checkFiles(t, res)
		})
	}
}

// One that is behind does not fill the memory, and is told what it missed.
func TestAnObserverThatIsBehindIsToldWhatItMissed(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	var shown []record.Event
	a := startAudience(func(e record.Event) {
		if e.Kind == "first" {
			close(begun)
			<-goOn
		}
		shown = append(shown, e)
	}, func(e record.Event) record.Event { return e })
	go a.serve()
	a.add(record.Event{Kind: "first"})
	<-begun
	const size, n = 1 << 20, 100
	text := strings.Repeat("x", size)
	for range n {
		a.add(record.Event{Kind: "more", Text: text})
	}
	close(goOn)
	if !a.end(10 * time.Second) {
		t.Fatal("it does not end")
	}
	kept := len(shown) - 2
	if kept > maxUnseen/size || kept < maxUnseen/size/2 {
		t.Errorf("%d of %d were kept", kept, n)
	}
	last := shown[len(shown)-1]
	if want := fmt.Sprintf("%d events were not shown", n-kept); last.Kind != KindRunUnseen || !strings.HasPrefix(last.Text, want) {
		t.Errorf("at last it is told %s %q, want %q", last.Kind, last.Text, want)
	}
}

// A record that cannot be written just now, on a disk that hangs, keeps no
// order from the children.
func TestOrdersDoNotWaitForTheRecord(t *testing.T) {
	s, p := supervisor(t, "deaf"), plan(t, "emu-1")
	s.GracePeriods.Twice = 300 * time.Millisecond
	signals := make(chan os.Signal, 2)
	s.Signals = signals
	released := make(chan struct{})
	go func() {
		defer close(released)
		pid := awaitChild(t, s.Out)
		led := s.under.Load().led.Load()
		led.mu.Lock() // as a save that hangs holds it
		defer led.mu.Unlock()
		signals <- os.Interrupt
		signals <- os.Interrupt
		awaitDeath(t, pid)
	}()
	res := bounded(t, s, p)
	<-released
	if got := ExitCode(res.Record); got != ExitInterrupted {
		t.Errorf("exit %d", got)
	}
	checkFiles(t, res)
}

// awaitDeath waits until a process is gone, or is dead and not waited for.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Errorf("process %d is left", pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}

// A power command in a group of its own, which hangs with the child that
// started it, does not outlive either.
func TestNothingOfAKilledChildIsLeft(t *testing.T) {
	for _, how := range []string{"killed by order", "killed by Kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s, p := supervisor(t, "power-command-hangs"), plan(t, "emu-1")
			s.GracePeriods.Twice = 100 * time.Millisecond
			signals := make(chan os.Signal, 2)
			s.Signals = signals
			var power atomic.Int64
			s.Observe = func(e record.Event) {
				switch {
				case e.Kind == "power.command":
					pid := 0
					_, _ = scanPID(e.Text, &pid)
					power.Store(int64(pid))
				case e.Kind != record.KindSpecStarted || e.Spec != odd:
				case how == "killed by Kill":
					s.Kill()
				default:
					signals <- os.Interrupt
					signals <- os.Interrupt
				}
			}
			bounded(t, s, p)
			if power.Load() == 0 {
				t.Fatal("no power command was started")
			}
			awaitDeath(t, int(power.Load()))
		})
	}
}

// hilrig itself may have to end before a run has: its record then says why, and
// is no verdict.
func TestARecordSaysThatHilrigBrokeOff(t *testing.T) {
	for _, repeat := range []int{1, 2} {
		t.Run(fmt.Sprint(repeat, " rounds"), func(t *testing.T) {
			t.Parallel()
			s, p := supervisor(t, "polite"), plan(t, "emu-1")
			p.Repeat = repeat
			signals := make(chan os.Signal, 1)
			s.Signals = signals
			var seen []*record.Record
			s.Observe = func(e record.Event) {
				if e.Kind != record.KindSpecStarted || e.Spec != odd {
					return
				}
				s.Broke("SIGQUIT")
				for _, pattern := range []string{"2*/run.json", "2*/round-01/run.json"} {
					found, _ := filepath.Glob(filepath.Join(s.Out, pattern))
					for _, name := range found {
						r, err := record.Load(name)
						if err != nil {
							t.Error(err)
							continue
						}
						seen = append(seen, r)
					}
				}
				signals <- os.Interrupt
			}
			bounded(t, s, p)
			if len(seen) != repeat {
				t.Fatalf("%d records", len(seen))
			}
			for _, r := range seen {
				if r.Run.Verdict != record.NotRun || r.Unended() != "hilrig broke off: SIGQUIT" {
					t.Errorf("%s, %q", r.Run.Verdict, r.Unended())
				}
			}
		})
	}
}

// An interrupt may come while a child is being started: its job reaches it
// before the order does. One that comes sooner starts none, and is no matter of the
// device.
func TestAChildIsGivenItsJobBeforeAnOrder(t *testing.T) {
	for range 20 {
		s := supervisor(t, "polite")
		signals := make(chan os.Signal, 1)
		s.Signals = signals
		s.Observe = func(e record.Event) {
			if e.Kind == KindRunStarted {
				signals <- os.Interrupt
			}
		}
		d := bounded(t, s, plan(t, "emu-1")).Record.Devices[0]
		if d.Cause != "" {
			t.Fatalf("the child died: %s", d.Cause)
		}
	}
}

func TestAPanicInARunIsHandedOn(t *testing.T) {
	s := supervisor(t, "normal")
	crashed := make(chan string, 1)
	s.Crashed = func(why string, stack []byte) {
		if !strings.Contains(string(stack), "neverstuck_test.go") {
			t.Errorf("the stack does not say where: %s", stack)
		}
		crashed <- why
	}
	s.Observe = func(record.Event) { panic("of all things") }
	bounded(t, s, plan(t, "emu-1"))
	if why := <-crashed; why != "panic: of all things" {
		t.Errorf("got %q", why)
	}
}

package runner

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"hilrig/record"
)

// Supervisor runs plans. Its fields say where it stands; none may change while
// it runs.
type Supervisor struct {
	Command      []string // that starts a child: this binary and its hidden verb
	Executable   string   // this binary, for what children start in turn
	Env          []string // of the children; nil: this process's
	Out          string   // folder of run folders
	StateDir     string   // what outlives a run
	LockDir      string   // locks of ports and devices
	Host         string
	Version      string
	Arguments    []string // as typed, for the record
	GracePeriods GracePeriods
	Log          *slog.Logger

	Signals   <-chan os.Signal                        // the first stops the run softly, the second at once
	Observe   func(record.Event)                      // every event, one after another; one that is too slow misses some, and is told how many
	Crashed   func(why string, stack []byte)          // a panic in a goroutine of the run; nil: it ends the process as ever
	Begun     func(dir string, r *record.Record)      // before anything is touched, with every spec not run; nil: nobody is told
	RoundDone func(dir string, r *record.Record)      // after each round of several
	lease     func(name, run string) (release, error) // for tests; nil: the host's locks

	children children
	under    atomic.Pointer[run]
}

// release gives a lease back.
type release func() error

// Result is what a run left.
type Result struct {
	Dir    string // the run folder
	Record *record.Record
}

// Run executes a plan. Its error, of class rig:host, says that the run could
// not begin (then there is no result) or that its record could not be written
// (then there is one). Whatever devices and children did is in the record.
//
// A cancelled ctx ends the run like a second interrupt.
func (s *Supervisor) Run(ctx context.Context, p *Plan) (*Result, error) {
	started := time.Now()
	id, dir, err := makeRunFolder(s.Out, started)
	if err != nil {
		return nil, err
	}
	head := record.Run{
		ID: id, Rig: p.Rig, Host: s.Host, Version: s.Version, Started: started.UTC().Round(0),
		Arguments: append([]string{}, s.Arguments...), Hub: p.hubKinds(), Verdict: record.NotRun,
		Selection: p.Selected,
	}
	if s.Begun != nil {
		s.Begun(dir, newRecord(head, p))
	}
	clock := record.ClockAt(started)
	r := &run{
		Supervisor: s, plan: p, dir: dir, head: head, halt: newHalt(), leases: map[string]lease{}, flashed: map[string]record.Running{}, silent: map[string]bool{},
		show:  startAudience(s.Observe, func(e record.Event) record.Event { return clock.Stamp(time.Now(), e) }),
		ports: p.sharedPorts(),
		feeds: p.feeds(s.Log),
		words: newWords(func(text string) { s.Log.Info(text) }),
	}
	s.under.Store(r)
	defer s.under.Store(nil)
	over := goOn(dir)
	defer func() {
		if err := over(); err != nil {
			s.Log.Warn("lock of the run folder", "err", err)
		}
	}()
	defer r.releaseAll()
	r.openSharedPorts(ctx)
	defer r.closeSharedPorts()
	defer r.closeFeeds()
	defer r.endShow()
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { defer s.guard(); r.watch(ctx, done) })
	watching.Go(func() { defer s.guard(); r.words.speak(done) })
	if s.Observe != nil {
		go func() { defer s.guard(); r.show.serve() }()
	}
	defer func() { close(done); watching.Wait() }()

	if p.Repeat > 1 {
		return r.rounds()
	}
	rec, err := r.round(dir, head)
	if rec == nil {
		return nil, err
	}
	return &Result{Dir: dir, Record: rec}, err
}

// run is one run under way.
type run struct {
	*Supervisor
	plan  *Plan
	dir   string
	head  record.Run // of its records, without what is known at the end only
	halt  *halt
	show  *audience
	ports sharedPorts
	feeds feeds
	*words
	led atomic.Pointer[recorder] // of the round that is under way

	interrupted, again, timedOut atomic.Bool // orders to stop wait for no lock that work can hold

	mu      sync.Mutex
	leases  map[string]lease          // by device, held until the run is over
	flashed map[string]record.Running // by device: what the run has put onto it
	silent  map[string]bool           // by device: it did not dial in the latest turn that listened for it
}

// endShow lets the observer see what is left.
func (r *run) endShow() {
	within := patience
	if r.again.Load() {
		within = twicePatience
	}
	if !r.show.end(within) {
		r.Log.Warn("what happened last was not shown: whoever shows it hangs; events.jsonl has it")
	}
}

// watch turns interrupts and time over into orders, and an order that is not
// followed into a harsher one. It waits for nobody.
func (r *run) watch(ctx context.Context, done <-chan struct{}) {
	limit := time.NewTimer(time.Until(r.head.Started.Add(r.plan.Timeout)))
	defer limit.Stop()
	signals, cancelled := r.Signals, ctx.Done()
	stop, now := r.halt.at(orderStop), r.halt.at(orderNow)
	var harsher, over <-chan time.Time
	next := orderNow
	for {
		select {
		case <-done:
			return
		case _, open := <-signals:
			if !open {
				signals = nil
				continue
			}
			if r.interrupt() && over == nil {
				over = time.After(cmp.Or(r.GracePeriods.Twice, r.GracePeriods.Now))
			}
		case <-over:
			r.halt.raise(orderKill, interrupted)
		case <-cancelled:
			cancelled = nil
			r.interrupt()
			r.halt.raise(orderNow, interrupted)
			over = time.After(cmp.Or(r.GracePeriods.Twice, r.GracePeriods.Now))
		case <-limit.C:
			r.timeIsOver()
		case <-stop:
			stop, harsher = nil, time.After(r.GracePeriods.Stop)
		case <-now:
			now, next, harsher = nil, orderKill, time.After(r.GracePeriods.Now)
		case <-harsher:
			harsher = nil
			r.halt.raise(next, "")
		}
	}
}

// interrupt reports whether it is the second.
func (r *run) interrupt() (again bool) {
	if r.interrupted.Swap(true) {
		r.again.Store(true)
		r.halt.raise(orderNow, interrupted)
		r.say("interrupted twice: tearing down now")
		return true
	}
	r.halt.raise(orderStop, interrupted)
	r.say("interrupted: finishing the step, then tearing down; again to tear down now")
	return false
}

func (r *run) timeIsOver() {
	r.timedOut.Store(true)
	cause := timeOver(r.plan.Timeout)
	r.halt.raise(orderStop, cause)
	r.say(cause)
}

// recordBroken ends a run whose record cannot be written: nothing that it
// still finds could be proved. The recorder calls it under its lock.
func (r *run) recordBroken(err error) {
	text := "the record could not be written: " + err.Error()
	r.halt.raise(orderStop, text)
	go r.Log.Error("the record cannot be written", "err", err)
}
